"""Settings of MSMT17; no torch."""

import re
from pathlib import Path
from typing import ClassVar, Literal

from reid_search.data.folder import FolderConfig
from reid_search.data.listing import VALIDATION, About, Counts, Listing, Part, read_list
from reid_search.errors import DataAbsent, DataError

_VALIDATION = 2_373
_LISTS: dict[str, Part] = {
    "list_train.txt": "train",
    "list_val.txt": "train",
    "list_query.txt": "query",
    "list_gallery.txt": "gallery",
}
_FOLDERS = {"train": {"V1": "train", "V2": "mask_train_v2"}, "test": {"V1": "test", "V2": "mask_test_v2"}}
_FACES = {"V1": "faces as they were filmed", "V2": "blurred faces"}
_NAME = re.compile(r"(?:\./)?(?:[^/.][^/]*/)*(\d{4})/\1_\d{3}_(\d{2})_[^/]+\.\w+")
_EXAMPLE = "0000/0000_000_01_0303morning_0015_0.jpg 0"


def about(training: int, *versions: str) -> About:
    """Return what MSMT17 states, with so many training images, of one version or of both."""
    told = " and ".join(f"{version} ({_FACES[version]})" for version in versions)
    return About(
        title="MSMT17",
        published={"train": Counts(training, 1_041), "query": Counts(11_659, 3_060), "gallery": Counts(82_161, 3_060)},
        licence="for academic research, on request from its authors",
        status=f"MSMT17 {told}",
        one_numbering=False,
    )


class MsmtConfig(FolderConfig):
    """The folder of MSMT17, V1 (`train`, `test`) or V2 (`mask_train_v2`, `mask_test_v2`), with its four lists.

    Its training and test people are numbered apart, each from 0; here they count from 1.

    Attributes:
        training: `train+val` trains on both lists, 32,621 images, as most papers do; `train` on 30,248.
    """

    marks: ClassVar[tuple[str, ...]] = tuple(_LISTS)
    name: Literal["msmt17"]
    training: Literal["train+val", "train"] = "train+val"

    def read(self, root: Path) -> Listing:
        """Read the lists; files that no list names are counted as unused.

        Raises:
            DataError: A list or a folder is missing, or a line does not fit.
        """
        if not root.is_dir():
            raise DataAbsent(f"{root}: no such folder; expected one that holds {', '.join(_LISTS)}")
        versions = {half: _version(root, half) for half in _FOLDERS}
        training = 32_621 if self.training == "train+val" else 32_621 - _VALIDATION
        listing = Listing(root, about(training, *sorted({*versions.values()})))
        folders = {half: root / _FOLDERS[half][version] for half, version in versions.items()}
        if len({*versions.values()}) > 1:
            named = " and ".join(f"{folders[half].name} is of {version}" for half, version in versions.items())
            listing.remarks.append(f"MSMT17: {named}; a number is comparable only where both are of one version")
        for name, part in _LISTS.items():
            if name != "list_val.txt" or self.training == "train+val":
                _check_there(root / name)
                _add(listing, root / name, folders["train" if part == "train" else "test"], part)
        _check_apart(listing, root)
        used, held_back = {image.path for image in listing.images}, self._held_back(root, folders["train"])
        for folder in folders.values():
            for path in listing.image_files(folder, deep=True):
                if str(path) not in used:
                    listing.leave_out(path, VALIDATION if path in held_back else "images that no list names")
        return listing

    def _held_back(self, root: Path, folder: Path) -> set[Path]:
        """Return the images that the list of validation names, where it is not trained on."""
        if self.training == "train+val" or not (root / "list_val.txt").is_file():
            return set()
        lines = read_list(root / "list_val.txt", f"lines such as {_EXAMPLE}").splitlines()
        return {folder / line.strip().rpartition(" ")[0] for line in lines}


def _check_there(path: Path) -> None:
    if path.name == "list_val.txt" and not path.exists():
        raise DataAbsent(
            f"{path}: no such file; put the list there, or leave out the {_VALIDATION:,} validation images with "
            "training: train"
        )


def _check_apart(listing: Listing, root: Path) -> None:
    """Refuse queries that are in the gallery, of which MSMT17 has none: a list is a copy of another."""
    gallery = {image.name for image in listing.images if image.part == "gallery"}
    queries = [image.name for image in listing.of("query")]
    both = [name for name in queries if name in gallery]
    if both:
        raise DataError(
            f"{root / 'list_query.txt'}: {len(both):,} of its {len(queries):,} images are in list_gallery.txt too, "
            f"such as {both[0]}, and MSMT17 has none in both; is one of the lists a copy of the other?"
        )


def _version(root: Path, half: str) -> str:
    found = [version for version, name in _FOLDERS[half].items() if (root / name).is_dir()]
    if len(found) != 1:
        what = "both lie there" if found else "missing"
        raise DataAbsent(f"{root}: {' or '.join(_FOLDERS[half].values())} {what}; expected one of them")
    return found[0]


def _add(listing: Listing, path: Path, folder: Path, part: Part) -> None:
    lines = read_list(path, f"lines such as {_EXAMPLE}").splitlines()
    listing.lists[path.name] = path
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, _, identity = line.strip().rpartition(" ")
        found = _NAME.fullmatch(name)
        if found is None or not identity.isdecimal() or int(identity) != int(found[1]):
            raise DataError(f"{path}:{number}: {line.strip()!r} is not of the form of MSMT17: {_EXAMPLE}")
        person = int(identity) + 1
        listing.labels[person] = str(int(identity))
        listing.use(folder / name, part, person, int(found[2]))


CONFIG = MsmtConfig
