"""The base of every data set that is read from a folder: its settings, its side-cars, what its fingerprint is.

And which data set a folder is, or is nearest to.
"""

import re
import shlex
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple, Self

from pydantic import Field

from reid_search.data.listing import Listing, entries_of, is_folder, is_hidden
from reid_search.data.side_cars.misplaced import why_misplaced
from reid_search.data.side_cars.origins import origin_of
from reid_search.errors import DataError, DataNotGiven
from reid_search.study import DATASETS, DataConfig, SideCar
from reid_search.study.component import AbsolutePath, Either, absolute, label_of
from reid_search.study.language.document import EntryPath
from reid_search.study.trial.config import DataFacts, ImageSize, Seen, SetUse
from reid_search.study.trial.side_cars import DEFAULT_CONFIDENCE, PREDICTED, SIDE_CARS, Forms, MapLabels

RESORTED = "a copy sorted into a folder for each identity; name the original"
_MOST_FOLDERS = 50
_OF_RESORTED = ("train_all", "gallery", "query")
SIDE_CAR_PLACES: dict[SideCar, str] = {"maps": "masks", "keypoints": "keypoints", "attributes": "attributes.csv"}


class FolderConfig(DataConfig):
    """A data set in a folder. A reader extends this and says in `read` what the folder holds.

    Attributes:
        root: The data set's folder; `--data` sets it.
        maps: Folder of part maps, made by any parser; `masks` in `root` where omitted, if it exists.
        keypoints: Folder of keypoints; `keypoints` in `root` where omitted, if it exists.
        attributes: Table of attributes; `attributes.csv` in `root` where omitted, if it exists.
        map_labels: What the labels of part maps mean: `parts` (ours), `lip`, or the labels of each part.
        keypoint_confidence: From which confidence on a detected keypoint is visible, in [0, 1].
        skip_broken: Whether images that cannot be read are left out, and counted, instead of being an error.

    `marks` are the folders and files of such a data set, `alone` says that they are of no other, and `variants` are the
    settings in which it may be there.
    """

    alone: ClassVar[bool] = False
    places: ClassVar[tuple[str, ...]] = ("root", *SIDE_CARS)
    marks: ClassVar[tuple[str, ...]] = ()
    variants: ClassVar[tuple[Mapping[str, str], ...]] = ({},)
    written_if_set: ClassVar[tuple[str, ...]] = ("map_labels", "keypoint_confidence", "skip_broken")
    image_size: ImageSize = (256, 128)
    root: AbsolutePath | None = None
    maps: AbsolutePath | None = None
    keypoints: AbsolutePath | None = None
    attributes: AbsolutePath | None = None
    map_labels: Annotated[MapLabels, Either("parts", "lip", "a list of labels from 0 to 255 by part")] = "parts"
    keypoint_confidence: float = Field(default=DEFAULT_CONFIDENCE, ge=0, le=1)
    skip_broken: bool = False

    @abstractmethod
    def read(self, root: Path) -> Listing:
        """List what the folder holds, without opening an image.

        Raises:
            DataError: The folder is missing or has another layout.
        """

    def likeness(self, root: Path) -> float:
        """Return the share of what the folder of such a data set holds that is there, from 0 to 1."""
        return sum((root / name).exists() for name in self.marks) / max(len(self.marks), 1)

    def distance(self, root: Path) -> float:
        """Return how far the numbers of images in a folder are from the published ones; 1 where these are unknown."""
        del root
        return 1.0

    def listing(self) -> Listing:
        """Return what the folder holds, with side-cars, and without unreadable images where these are skipped.

        Raises:
            DataError: The folder is not given, missing or of another layout.
        """
        listing = self._read_or_hint(self.folder())
        listing.side_cars = self.side_cars()
        listing.forms = Forms(self.map_labels, self.keypoint_confidence)
        if self.skip_broken:
            from reid_search.data.decoding import judged

            listing.without_unreadable(lambda digests: judged(digests).problems)
        return listing

    def _read_or_hint(self, root: Path) -> Listing:
        try:
            listing = self.read(root)
            listing.check_once()
            return listing
        except DataError as error:
            others = [other for other in sniffed(root) if not self._reads_as(other)] if root.is_dir() else []
            if not others:
                raise
            hint = f"this folder looks like {' or '.join(other.name for other in others)}: {others[0].how_to_name}"
            raise type(error)(f"{error}; {hint}") from error

    def _reads_as(self, other: "FolderConfig") -> bool:
        """Say whether another config is of this data set in this variant."""
        settings = ("name", *self.variants[0])
        return all(getattr(self, name) == getattr(other, name, None) for name in settings)

    @property
    def written(self) -> str:
        """How a study file writes it: `data: {name: cuhk03, boxes: labelled, root: …}`."""
        return f"data: {{{', '.join(f'{name}: {label_of(value)}' for name, value in self.told.items())}}}"

    @property
    def told(self) -> dict[str, object]:
        """The entries that a study file needs for it: its name, what is not as it is by default, its place."""
        return {"name": self.name, **self._settings, "root": str(self.root)}

    @property
    def how_to_name(self) -> str:
        """How a study file writes it, and with which options a command takes its folder."""
        options = "".join(
            f" --set {shlex.quote(f'{name}={label_of(value)}')}" for name, value in self._settings.items()
        )
        return f"write {self.written} in a study; `data check` and `evaluate` take --name {self.name}{options}"

    @property
    def _settings(self) -> dict[str, object]:
        """What is not as it is by default, but for its place."""
        usual = {name: field.get_default(call_default_factory=True) for name, field in type(self).model_fields.items()}
        entries = {name: value for name, value in self.as_entries.items() if name not in ("name", "root")}
        return {name: value for name, value in entries.items() if getattr(self, name) != usual[name]}

    def facts_and_check(self) -> tuple[DataFacts, Callable[[SetUse], Seen]]:
        """List the folder once, for the facts and every check.

        Raises:
            DataError: The data set is missing, has another layout, or holds a file that cannot be read.
        """
        listing = self.listing()
        facts = listing.facts()
        decoded: set[tuple[str, ...]] = set()

        def check(use: SetUse) -> Seen:
            from reid_search.data.checks import checked_split
            from reid_search.data.dataset import dataset_of
            from reid_search.data.decoding import check_images
            from reid_search.data.side_cars import check_side_cars

            dataset = dataset_of(self.name, listing, facts.fingerprint)
            split = checked_split(dataset, use)
            parts = (*use.tables, *(("multi_query",) if use.test else ()))
            if use.tables not in decoded:
                digests = listing.digests()
                check_images({image.path: digests[image.path] for image in listing.images if image.part in parts})
                decoded.add(use.tables)
            check_side_cars(dataset, {part: use.needs[part] for part in parts if part in use.needs})
            trained = listing.of("train")
            held = [trained[row] for row in split.gallery.index]
            own_test = listing.contents([*listing.of("query"), *listing.of("gallery")])
            return Seen(
                trained=listing.contents(trained) if use.train else {},
                held=listing.contents(held),
                tested=own_test if use.test else {},
                own_test=own_test,
                learnt=(split.train["identity"].nunique(), len(split.train)) if use.train else None,
            )

        return facts, check

    def fingerprint(self) -> str:
        """Return a hash of the content of every image, side-car and list.

        Raises:
            DataError: As `facts` does.
        """
        return self.listing().fingerprint()

    @property
    def offers(self) -> frozenset[SideCar]:
        """The side-cars that exist; all of them while no folder is given."""
        return frozenset(SIDE_CARS) if self.root is None else frozenset(self.side_cars())

    def origin_of(self, kind: SideCar) -> str:
        """Return `predicted`, or that side-cars which `reid-search data make` wrote are the truth."""
        place = None if self.root is None else self.side_cars().get(kind)
        return PREDICTED if place is None else origin_of(kind, place, self.folder(), self._listed(kind, place))

    def _listed(self, kind: SideCar, place: Path) -> Collection[str]:
        """Return the files of a kind of side-car that a list at this place names; none for another place."""
        del kind, place
        return ()

    def how_to_offer(self, kind: SideCar) -> str:
        """Say where a side-car is expected."""
        return f"name their place in data.{kind}, or put them at {usual_place(self.folder(), kind)}"

    def side_cars(self) -> dict[SideCar, Path]:
        """Return the paths of the side-cars that exist."""
        named = {kind: getattr(self, kind) for kind in SIDE_CARS if getattr(self, kind) is not None}
        return {**find_side_cars(self.folder()), **named}

    def misplaced(self) -> Iterator[tuple[EntryPath, str]]:
        """Yield the side-cars that are not at the places it names, each with its entry."""
        for kind in SIDE_CARS:
            place = getattr(self, kind)
            if place is not None and (problem := why_misplaced(kind, place)):
                yield (kind,), str(problem)

    def folder(self) -> Path:
        """Return the data set's folder.

        Raises:
            DataNotGiven: No folder is named.
        """
        if self.root is None:
            raise DataNotGiven(f"data.root: not given; name the folder of '{self.name}' there or with --data DIR")
        return self.root

    def at(self, root: Path) -> Self:
        """Return this config reading from `root`."""
        return self.model_copy(update={"root": absolute(root)})


def find_side_cars(root: Path) -> dict[SideCar, Path]:
    """Return the side-cars in their usual places in a data set's folder."""
    return {kind: path for kind in SIDE_CARS if (path := usual_place(root, kind)).exists()}


def usual_place(root: Path, kind: SideCar) -> Path:
    """Return the usual place of a side-car in a data set's folder, or beside its manifest."""
    return (root.parent if root.is_file() else root) / SIDE_CAR_PLACES[kind]


def names_of_folders() -> list[str]:
    """Return the data sets that are read from a folder."""
    return [name for name in DATASETS.names() if issubclass(DATASETS.config_class(name), FolderConfig)]


def sniffed(root: Path) -> "list[FolderConfig]":
    """Return all data sets that a folder can be read as, each in its likeliest variant, the likeliest first.

    The likeliest is the one from whose published counts it deviates least; among equals the one that the folder is
    named like, and then the one whose numbers of images are nearest.
    """
    return [fit.config for fit in _fitting(root)]


def recognised(root: Path) -> "FolderConfig | None":
    """Return the one data set that a folder is, or None: the one that it deviates from least.

    Raises:
        DataError: There are several; or it deviates from that one, and it can be read as one without published counts.
    """
    found = _fitting(root)
    fewest = min((fit.deviations for fit in found if not fit.unpublished), default=None)
    configs = [fit.config for fit in found if fit.unpublished or fit.deviations == fewest]
    if fewest == 0:
        configs = [fit.config for fit in found if not fit.unpublished and not fit.deviations]
    if len(configs) > 1:
        names = " or ".join(config.name for config in configs)
        raise DataError(f"{root}: can be read as {names}; say which with --name")
    return next(iter(configs), None)


class _Fit(NamedTuple):
    """A data set that a folder can be read as: how it deviates from the published counts, and whether it has any."""

    config: FolderConfig
    unpublished: bool
    deviations: int
    distance: float


def _fitting(root: Path) -> list[_Fit]:
    found = [fit for name in names_of_folders() if (fit := _likeliest(name, root))]
    return sorted(found, key=lambda fit: (fit.deviations, -_named_like(root, fit.config), fit.distance))


def _named_like(root: Path, config: FolderConfig) -> int:
    """Return how many letters of the data set's name the folder has in its own: `Occluded_Duke` has all of them."""
    folder, name = (re.sub("[^a-z0-9]", "", text.lower()) for text in (root.absolute().name, config.name))
    return len(name) if name in folder else 0


def is_resorted(root: Path) -> bool:
    """Say whether it is a copy that layumi's Person_reID_baseline_pytorch made."""
    return all((root / name).is_dir() for name in _OF_RESORTED)


def how_to_set(name: str, value: str) -> str:
    """Say how a setting of a data set is written in a study, and how a command takes it."""
    return f"write {name}: {value} in a study (--set {name}={value} for `data check` and `evaluate`)"


def unknown(root: Path) -> DataError:
    """Return the error that a folder is no data set; of one that can be nothing else, what is wrong with it."""
    for config in _variants(root):
        if config.alone and config.likeness(root) == 1:
            try:
                config.read(config.folder())
            except DataError as error:
                return error
    return DataError(f"{root}: looks like no data set that is known; {near_miss(root)}")


def near_miss(root: Path) -> str:
    """Say what a folder that is no data set may be: the one around or in one, or one that lacks something."""
    inside = [root / entry.name for entry in entries_of(root) if is_folder(entry) and not is_hidden(entry.name)]
    for place in (*inside[:_MOST_FOLDERS], root.absolute().parent):
        if found := _sniffed_if_like(place):
            return f"did you mean {place}? It looks like {found[0].name}: write {found[0].written}"
    if is_resorted(root):
        return RESORTED
    command = f"reid-search data import {shlex.quote(str(root))}"
    others = f"say with --name which it should be, or write a manifest of it with `{command}`"
    config = min(
        _variants(root),
        key=lambda config: (-config.likeness(root), -_named_like(root, config), round(config.distance(root), 2)),
    )
    try:
        if config.likeness(root):
            config.read(root)
    except DataError as error:
        return f"it is most like {config.name}: {str(error).removeprefix(f'{root}: ')}; {others}"
    return others


def _sniffed_if_like(place: Path) -> "list[FolderConfig]":
    try:
        return sniffed(place) if any(config.likeness(place) for config in _variants(place)) else []
    except OSError:  # a folder that nobody named, and that may not be read
        return []


def _variants(root: Path, *names: str) -> Iterator[FolderConfig]:
    for name in names or names_of_folders():
        config_class = DATASETS.config_class(name)
        assert issubclass(config_class, FolderConfig)
        for variant in config_class.variants:
            yield config_class.model_validate({"name": name, "root": str(root), **variant})


def _likeliest(name: str, root: Path) -> _Fit | None:
    """Return a data set's likeliest variant."""
    fitting = []
    for config in _variants(root, name):
        try:
            listing = config.read(root)
        except DataError:
            continue
        about = listing.about
        # Rounded: a few images of a set are as far from every set.
        distance = round(about.distance({part: listing.counts(part).images for part in about.published}), 2)
        fitting.append(_Fit(config, not (about.published or about.people), len(listing.deviations()), distance))
    return min(fitting, key=lambda fit: fit[1:], default=None)
