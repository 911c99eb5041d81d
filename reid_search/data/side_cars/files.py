"""Finding the side-car of an image."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from reid_search.common.contents import hash_files, why_unreadable
from reid_search.data.boxes import Box
from reid_search.errors import DataAbsent, DataError

Size = tuple[int, int]
PerImage = Literal["maps", "keypoints"]
PER_IMAGE: tuple[PerImage, ...] = ("maps", "keypoints")

_ENDINGS: dict[PerImage, tuple[str, ...]] = {
    "maps": (".png", ".npz", ".npy"),
    "keypoints": (".json", "_keypoints.json", ".predictions.json"),
}
"""What may follow the image's stem or its whole name."""
_WHAT: dict[PerImage, str] = {"maps": "part map", "keypoints": "keypoints"}


class OwnFile(NamedTuple):
    """The side-car that a list names for one image.

    Attributes:
        list: The list.
        path: The file; None where the image has none.
        box: The part of its file that the image is; None for the whole.
        is_shared: Whether other boxes of the image's file have it too, so that it is of the whole.
    """

    list: Path
    path: Path | None
    box: Box | None = None
    is_shared: bool = False


Place = Path | OwnFile
"""Where a side-car is: a folder of them, a file that holds all, or the image's own."""


def file_of(image: Path, folder: Place, kind: PerImage) -> Path:
    """Return the side-car of an image: its own, or in the folder, or in a sub-folder named after the image's.

    Args:
        image: The image.
        folder: Folder of side-cars, or the image's own.
        kind: What they hold.

    Raises:
        DataAbsent: There is none.
        DataError: There are several.
    """
    if isinstance(folder, OwnFile):
        if folder.path is None:
            raise DataAbsent(f"{folder.list}: no {_WHAT[kind]} in the row of {image.parent.name}/{image.name}")
        return folder.path
    places = list(_places(image, folder, kind))
    found = [path for path in places if path.exists()]
    if not found:
        raise DataAbsent(f"{places[0]}: no such file; expected the {_WHAT[kind]} of {image.parent.name}/{image.name}")
    if len(found) > 1:
        raise DataError(f"{found[0]}: {found[1]} is a {_WHAT[kind]} of the same image too; keep one of them")
    return found[0]


def files_of(images: Iterable[str], folder: Path, kind: PerImage) -> dict[str, Path]:
    """Return the side-cars of images by name in their folder: what `file_of` finds, and no other file.

    Upper and lower case are not told apart, as some disks do not.

    Args:
        images: Paths of the images.
        folder: Folder of side-cars.
        kind: What they hold.

    Raises:
        DataError: The folder cannot be read.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    for image in images:
        parent, name = os.path.split(image)
        own = {name.casefold(), os.path.splitext(name)[0].casefold()}  # noqa: PTH122
        for inner in ("", os.path.basename(parent)):  # noqa: PTH119
            owners[inner] |= own
    found: dict[str, Path] = {}
    for inner, names in owners.items():
        for file in _listed(folder / inner):
            folded = file.casefold()
            if any(folded.removesuffix(ending) in names for ending in _ENDINGS[kind] if folded.endswith(ending)):
                found[f"{inner}/{file}" if inner else file] = folder / inner / file
    return found


def check_own(images: Iterable[tuple[str, Place]], file_at: Callable[[Path, Place], str], what: str) -> None:
    """Refuse a side-car that would serve two images: one of them would silently get that of the other.

    Args:
        images: Paths of the images of a data set, and where their side-cars are. The same image at two places, as
            queries that are in the gallery too, may share one.
        file_at: Says what the side-car of an image is.
        what: What a message calls it.

    Raises:
        DataError: Two different images share one.
    """
    owners: dict[str, str] = {}
    for image, where in dict.fromkeys(images):
        try:
            place = file_at(Path(image), where)
        except DataError:  # which is said where it is read
            continue
        first = owners.setdefault(place, image)
        if first != image and len({*hash_files([first, image]).digests.values()}) != 1:
            how = "" if isinstance(where, OwnFile) else ", in a folder named after that of the image"
            raise DataError(
                f"{place}: holds the {what} of {first} and of {image}, which are two images; each needs its own{how}"
            )


def _places(image: Path, folder: Path, kind: PerImage) -> Iterator[Path]:
    for parent in (folder, folder / image.parent.name):
        for name in dict.fromkeys((image.stem, image.name)):
            for ending in _ENDINGS[kind]:
                yield parent / f"{name}{ending}"


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"{folder}: {why_unreadable(str(folder), error)}") from error
