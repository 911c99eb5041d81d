"""What a reader finds in a data set: every image with what it shows, and every file that is not used, by reason.

Names and lists are read here, no image is opened. A reader fills a `Listing`; everything else (tables, fingerprint,
checks, `data check`, the plan, the report) is made of it. Neither pandas nor torch.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from reid_search.common.contents import Hashed, hash_files, why_unreadable
from reid_search.common.labels import DISTRACTOR, JUNK
from reid_search.data.boxes import Box, named
from reid_search.data.side_cars.files import PerImage, files_of
from reid_search.data.side_cars.misplaced import why_misplaced
from reid_search.errors import DataAbsent, DataError
from reid_search.study import SideCar
from reid_search.study.trial.config import DataFacts
from reid_search.study.trial.key import BY_CONTENT
from reid_search.study.trial.side_cars import Forms
from reid_search.words import several

Part = Literal["train", "query", "gallery", "multi_query"]
PARTS: tuple[Part, ...] = ("train", "query", "gallery")
"""The parts of every data set; where queries are pooled, `multi_query` holds the images to pool."""

HIDDEN = "hidden files"
OTHER_FILES = "files that are no images"
NOBODY = "junk and distractors in training"
UNREADABLE = "unreadable images"
IN_FOLDERS = "images in folders within a part"
VALIDATION = "validation images"

GO_ON = "replace the file, take it out, or leave it out with --skip-broken, or with `skip_broken: true` in its data"
"""What to do about an image that cannot be read."""
SLASHES = "folders in a path are divided by /, as in a/b.jpg"
"""A hint where Windows' backslashes divide them."""

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm")
_SYSTEM_FILES = ("thumbs.db", "desktop.ini")
_DIGITS = 16
_ABSENT = "no such file"
_HIGHEST = 10**15


class ListedImage(NamedTuple):
    """One image and what its name, or a list, says of it.

    Attributes:
        path: Where its file is.
        part: The part of the data set.
        name: Its name in the data set, with `/`: relative to the root, wherever that is, and with its box if it has
            one.
        identity: 1 or more; in the gallery also `JUNK` and `DISTRACTOR`. A reader whose set numbers a person 0 adds 1.
        camera: The camera, None where the data set has none.
        more: Further columns, such as `clothes`.
        box: The part of the file that it is; the whole file where omitted.
        side_cars: Its own side-cars, where a list names them; empty for one that it lacks.
    """

    path: str
    part: Part
    name: str
    identity: int
    camera: int | None
    more: tuple[tuple[str, int | str], ...] = ()
    box: Box | None = None
    side_cars: tuple[tuple[PerImage, str], ...] = ()


class Counts(NamedTuple):
    """Images of a part, and identities among them, without junk and distractors."""

    images: int
    identities: int

    def __str__(self) -> str:
        """Write them as `12,936 images of 751 identities`."""
        return f"{several(self.images, 'image')} of {several(self.identities, 'identity')}"


@dataclass(frozen=True)
class About:
    """What a data set states about itself.

    Attributes:
        title: Its name in sentences: `Market-1501`.
        published: The published counts of each part.
        people: The published number of identities of parts of which that of images is not known.
        licence: Under what terms it is given out.
        status: What a user must know, such as that it was withdrawn.
        one_numbering: Whether a number means one person in training and test, so that no number may be in both.
        cameras: Whether it knows which camera took an image.
        alike: The published counts of data sets whose files have the same names, by what a study writes for them:
            `name: occluded_duke`.
    """

    title: str
    published: Mapping[Part, Counts] = field(default_factory=dict)
    people: Mapping[Part, int] = field(default_factory=dict)
    licence: str = ""
    status: str = ""
    one_numbering: bool = True
    cameras: bool = True
    alike: Mapping[str, Mapping[Part, Counts]] = field(default_factory=dict)

    def distance(self, images: Mapping[Part, int]) -> float:
        """Return how far the numbers of images of some parts are from the published ones: 0 if equal, 1 if all lack."""
        said = {part: counts.images for part, counts in self.published.items() if part in images}
        return sum(abs(images[part] - count) for part, count in said.items()) / sum(said.values()) if said else 1.0


@dataclass
class Listing:
    """The images of a data set, and what else was found.

    Attributes:
        root: The data set's folder.
        about: What the data set states.
        images: The images in use.
        unused: Names of what was found and is not used, by reason.
        lists: Files that were read besides images and side-cars, by what they are called in the data set, whatever
            their own names; their bytes are in the fingerprint.
        side_cars: Paths of the side-cars; that of the list which names one for each image.
        forms: How they are to be understood.
        labels: What the data set calls its identities, by number; empty where these are the same.
        cameras: What it calls its cameras, in the same way.
        remarks: What deviates besides the counts of its parts, as the reader says.
        converted: Whether its files have the names of another data set, to which a copy was converted; None before any
            is known.
        named_at: Which line of which list names a file (`manifest.csv:12`), by its path, where lines have numbers.
    """

    root: Path
    about: About
    images: list[ListedImage] = field(default_factory=list)
    unused: dict[str, list[str]] = field(default_factory=dict)
    lists: dict[str, Path] = field(default_factory=dict)
    side_cars: dict[SideCar, Path] = field(default_factory=dict)
    forms: Forms = field(default_factory=Forms)
    labels: dict[int, str] = field(default_factory=dict)
    cameras: dict[int, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    converted: bool | None = None
    named_at: dict[str, str] = field(default_factory=dict)
    _hashed: Hashed | None = None

    def use(
        self,
        path: Path | str,
        part: Part,
        identity: int,
        camera: int | None,
        box: Box | None = None,
        side_cars: tuple[tuple[PerImage, str], ...] = (),
        /,
        **more: int | str,
    ) -> None:
        """Add an image; junk and distractors in training are listed as unused.

        Raises:
            DataError: A query is junk or a distractor, a number is beyond all use, or the name is not in UTF-8.
        """
        if max(abs(identity), abs(camera or 0)) > _HIGHEST:
            raise DataError(f"{path}: a number of more than {_HIGHEST:,}; expected those of an identity and a camera")
        if identity <= DISTRACTOR and part == "train":
            self.leave_out(path, NOBODY)
        elif identity < JUNK or (identity <= DISTRACTOR and part == "query"):
            allowed = "1 or more" if part == "query" else f"1 or more, {DISTRACTOR} (distractor) or {JUNK} (junk)"
            raise DataError(f"{path}: identity {identity} in {part}; allowed: {allowed}")
        else:
            name, columns = named(in_utf8(self.name_of(path)), box), tuple(sorted(more.items()))
            self.images.append(ListedImage(str(path), part, name, identity, camera, columns, box, side_cars))

    def leave_out(self, path: Path | str, reason: str) -> None:
        """Note a file that is not used."""
        self.unused.setdefault(reason, []).append(self.name_of(path))

    def name_of(self, path: Path | str) -> str:
        """Return a path relative to the root, with `/`; a link is not followed."""
        text, root = str(path), f"{self.root}{os.sep}"
        name = text.removeprefix(root) if text.startswith(root) else os.path.relpath(text, self.root)
        return name.replace(os.sep, "/")

    def image_files(self, folder: Path, deep: bool = False, known: Collection[str] = ()) -> Iterator[Path]:
        """Yield the image files of a folder by name, and note all other files as unused. Links are followed.

        Args:
            folder: The folder.
            deep: Whether folders in it belong to it.
            known: Files and folders that are used already, and passed over.

        Raises:
            DataError: The folder cannot be read, or a link in it leads back to a folder around it.
        """
        yield from self._image_files(folder, deep, known, ())

    def _image_files(self, folder: Path, deep: bool, known: Collection[str], around: tuple[str, ...]) -> Iterator[Path]:
        real = os.path.realpath(folder)
        if real in around:
            raise DataError(f"{folder}: a link that leads back to {real}, which it is in; take it out")
        for entry in entries_of(folder):
            path = folder / entry.name
            if path in self.lists.values() or str(path) in known:
                continue
            if is_hidden(entry.name):
                self.leave_out(path, HIDDEN)
            elif is_folder(entry):
                inside = self._image_files(path, True, known, (*around, real))
                if deep:
                    yield from inside
                else:
                    for image in inside:
                        self.leave_out(image, IN_FOLDERS)
            elif entry.name.lower().endswith(IMAGE_SUFFIXES):
                yield path
            else:
                self.leave_out(path, OTHER_FILES)

    def of(self, part: Part) -> list[ListedImage]:
        """Return the images of a part in the order of their names."""
        return sorted((image for image in self.images if image.part == part), key=lambda image: image.name)

    def counts(self, part: Part) -> Counts:
        """Count a part."""
        identities = [image.identity for image in self.images if image.part == part]
        return Counts(len(identities), len({identity for identity in identities if identity > DISTRACTOR}))

    def deviations(self) -> list[str]:
        """Say what is not as published: a sentence for names of another form, and for each part with other counts."""
        title = self.about.title
        told = [f"{title}: its files have the names of a converted copy"] if self.converted else []
        for written, published in self.about.alike.items():
            if self._as_published(published) > self._as_published(self.about.published):
                name = written.partition(": ")[2]
                told.append(f"{title}: it has the counts of {name}; is it that? Then write {written}")
        told += [
            f"{title}, {part}: {found}, where {said.images:,} of {said.identities:,} are published "
            f"({_more_or_less(found, said)})"
            for part, said in self.about.published.items()
            if (found := self.counts(part)) != said
        ]
        told += [
            self._unlike(part, found.identities, people, "identity")
            for part, people in self.about.people.items()
            if (found := self.counts(part)).identities != people
        ]
        return told + self.remarks

    def expect(self, what: str, images: int, published: int) -> None:
        """Remark a number of images that is not the published one."""
        if images != published:
            self.remarks.append(self._unlike(what, images, published, "image"))

    def _unlike(self, what: str, found: int, said: int, unit: str) -> str:
        told = f"{several(found, unit)}, where {said:,} are published ({_difference(found, said)})"
        return f"{self.about.title}, {what}: {told}"

    def _as_published(self, published: Mapping[Part, Counts]) -> int:
        """Return how many parts have their published counts, of those that tell sets with the same names apart."""
        return sum(self.counts(part) == said for part, said in published.items())

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of every image file by path.

        Raises:
            DataError: A file cannot be read.
        """
        hashed = self._hash_images()
        if hashed.unreadable:
            raise self._unreadable(hashed.unreadable, GO_ON)
        return hashed.digests

    def boxed(self) -> dict[str, str]:
        """Return the SHA-256 of every readable file of which a box is an image, by path."""
        paths = {image.path for image in self.images if image.box}
        return {path: digest for path, digest in self._hash_images().digests.items() if path in paths} if paths else {}

    def contents(self, images: Iterable[ListedImage]) -> dict[str, str]:
        """Return where each of some images lies, by its content.

        Raises:
            DataError: A file cannot be read.
        """
        digests = self.digests()
        return {f"{digests[image.path]} {image.box}": image.path for image in images}

    def without_unreadable(self, undecodable: Callable[[Mapping[str, str]], Mapping[str, str]]) -> "Listing":
        """Move the images that cannot be read to the unused ones, and return this listing.

        Args:
            undecodable: Given the SHA-256 of files by path, says what is wrong with those that are no whole images.
        """
        hashed = self._hash_images()
        broken = {*hashed.unreadable, *undecodable(hashed.digests)}
        for image in self.images:
            if image.path in broken:
                self.leave_out(image.path, UNREADABLE)
        self.images = [image for image in self.images if image.path not in broken]
        self._hashed = Hashed({path: digest for path, digest in hashed.digests.items() if path not in broken})
        return self

    def fingerprint(self) -> str:
        """Return `sha256-` and 16 hex digits of everything that is read: bytes of files, and what they are of.

        Where the folder and its lists lie, hidden files and files that are not used do not count, a side-car of no
        image among them; images that are left out because they are unreadable do.

        Raises:
            DataError: A file is missing or cannot be read.
        """
        digests = self.digests()
        lines = [
            f"{image.part}/{image.name}\t{image.identity}\t{image.camera}\t{image.more}\t{digests[image.path]}"
            for image in self.images
        ]
        lines += [f"skipped/{name}" for name in self.unused.get(UNREADABLE, ())]
        beside = {f"list/{name}": path for name, path in self.lists.items()}
        for kind, place in self.side_cars.items():
            beside |= {f"{kind}/{name}": path for name, path in self._side_car_files(kind, place).items()}
        hashed = hash_files(beside.values())
        if hashed.unreadable:
            raise self._unreadable(hashed.unreadable, "put it back, or replace it")
        lines += [f"{name}\t{hashed.digests[str(path)]}" for name, path in beside.items()]
        return BY_CONTENT + hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:_DIGITS]

    def check_once(self) -> None:
        """Refuse an image that a list names twice in one part.

        Raises:
            DataError: There is one.
        """
        for (part, name), count in Counter((image.part, image.name) for image in self.images).most_common(1):
            if count > 1:
                raise DataError(f"{self.root}: {name} is in {part} {count} times; an image counts once")

    def is_unchanged(self, fingerprint: str) -> bool:
        """Say whether everything that was listed is still there, with the content that it had."""
        self._hashed = None
        try:
            return self.fingerprint() == fingerprint
        except DataError:
            return False

    def facts(self, fingerprint: str | None = None) -> DataFacts:
        """Return the fingerprint (or the one that is given), what is not used, and what else is worth knowing.

        Raises:
            DataError: A file is missing or cannot be read.
        """
        unused = {reason: len(names) for reason, names in self.unused.items()}
        further = (self._queries_alone(), self._tested_and_trained_on(), *self._of_two_people())
        notes = tuple(text for text in (self.about.status, *self.deviations(), *further) if text)
        return DataFacts(fingerprint or self.fingerprint(), unused, notes)

    def described(self, path: str, problem: str) -> str:
        """Say what is wrong with a file: where a list names it, where it is, and the problem."""
        place = f"{self.named_at[path]}: " if path in self.named_at else ""
        return f"{place}{path}: {problem}" + (f"; {SLASHES}" if "\\" in path and problem == _ABSENT else "")

    def _unreadable(self, files: Mapping[str, str], how_to_go_on: str) -> DataError:
        path, reason = next(iter(sorted(files.items())))
        more = f" (and {several(len(files) - 1, 'more such file')})" if len(files) > 1 else ""
        kind = DataAbsent if reason == _ABSENT else DataError
        return kind(f"{self.described(path, reason)}{more}; {how_to_go_on}")

    def _tested_and_trained_on(self) -> str:
        """Say how many images of training are in the test too, as those of other people."""
        digests = self._hash_images().digests
        trained, tested = {}, {}
        for image in self.images:
            content = (digests.get(image.path), image.box)
            if content[0] is None:  # it cannot be read
                continue
            if image.part == "train":
                trained[image.name] = content
            elif image.part in PARTS:
                tested[content] = image.name
        both = [name for name, content in trained.items() if content in tested]
        if not both:
            return ""
        example = f"{min(both)} as {tested[trained[min(both)]]}"
        verb = "is" if len(both) == 1 else "are"
        share = f"{len(both):,} of {several(len(trained), 'image')} of training {verb}"
        return f"{share} in the test too, byte for byte: {example}"

    def _of_two_people(self) -> Iterator[str]:
        """Say how many photos are those of two people in training, and how many in the test."""
        digests = self._hash_images().digests
        for what, parts in (("training", ("train",)), ("the test", ("query", "gallery"))):
            first: dict[tuple[str, Box | None], ListedImage] = {}
            twice: dict[tuple[str, Box | None], tuple[ListedImage, ListedImage]] = {}
            for image in sorted(self.images, key=lambda image: image.name):
                if image.part in parts and image.identity != JUNK and image.path in digests:
                    content = (digests[image.path], image.box)
                    before = first.setdefault(content, image)
                    if before.identity != image.identity:
                        twice.setdefault(content, (before, image))
            if twice:
                named = " and ".join(f"{image.name} of {self._called(image)}" for image in next(iter(twice.values())))
                verb = "is" if len(twice) == 1 else "are"
                yield f"{several(len(twice), 'photo')} {verb} of two identities in {what}, byte for byte: {named}"

    def _called(self, image: ListedImage) -> str:
        return "nobody" if image.identity == DISTRACTOR else self.labels.get(image.identity, str(image.identity))

    def _queries_alone(self) -> str:
        """Say how many queries have nothing to be pooled with where others have."""
        pooled = {(image.identity, image.camera) for image in self.of("multi_query")}
        queries = self.of("query")
        alone = sum((image.identity, image.camera) not in pooled for image in queries)
        if not pooled or not alone:
            return ""
        own = "has no other image and is described by its own" if alone == 1 else ""
        own = own or "have no other image and are described by their own"
        return f"multi-query: {alone:,} of {several(len(queries), 'query')} {own}"

    def _side_car_files(self, kind: SideCar, place: Path) -> dict[str, Path]:
        """Return the files of a side-car by name; a single file has no name, so that it may be called anything."""
        if place in self.lists.values():
            files = {path for image in self.images for own, path in image.side_cars if own == kind and path}
            return {self.name_of(path): Path(path) for path in files}
        if problem := why_misplaced(kind, place):
            raise problem
        if kind == "attributes" or not place.is_dir():
            return {"": place}
        return files_of((image.path for image in self.images), place, kind)

    def _hash_images(self) -> Hashed:
        if self._hashed is None:
            self._hashed = hash_files(image.path for image in self.images)
        return self._hashed


def is_hidden(name: str) -> bool:
    """Say whether a file belongs to an operating system: `.DS_Store`, a Mac's `._0002_c1.jpg`, `Thumbs.db`."""
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


def in_utf8(name: str) -> str:
    """Return a name.

    Raises:
        DataError: It holds bytes that are no UTF-8, which no table could hold.
    """
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{name!a}: its name is not in UTF-8; rename the file") from error
    return name


def read_list(path: Path, expected: str) -> str:
    """Return the text of a list; a FIFO is not waited for.

    Raises:
        DataAbsent: It is no file, or not one of text.
    """
    try:
        if path.is_file():
            return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataAbsent(f"{path}: not a readable list; expected {expected}") from error
    what = "not a readable list" if path.exists() else "no such file"
    raise DataAbsent(f"{path}: {what}; expected {expected}")


def stem_of(name: str) -> str:
    """Return a file's name without the suffixes of images, of which some files have two: `a.jpg.jpg`."""
    while name.lower().endswith(IMAGE_SUFFIXES):
        name = name.rpartition(".")[0]
    return name


def entries_of(folder: Path) -> "list[os.DirEntry[str]]":
    """Return what a folder holds, by name.

    Raises:
        DataError: The folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DataAbsent(f"{folder}: {why_unreadable(str(folder), error)}") from error


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Say whether it is a folder, or a link to one; a link in a circle is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _more_or_less(found: Counts, said: Counts) -> str:
    differences = zip(("images", "identities"), found, said, strict=True)
    return ", ".join(f"{what}: {_difference(a, b)}" for what, a, b in differences if a != b)


def _difference(found: int, said: int) -> str:
    return f"{abs(found - said):,} {'more' if found > said else 'fewer'}"
