"""Finding the side-car of an image."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from reid_search.common.contents import hash_files
from reid_search.errors import DataAbsent, DataError

Size = tuple[int, int]


def file_of(image: Path, folder: Path, endings: Sequence[str], what: str) -> Path:
    """Return the side-car of an image: in the folder, or in a sub-folder named after the image's.

    Args:
        image: The image.
        folder: Folder of side-cars.
        endings: What may follow the image's stem or its whole name: `.png`, `_keypoints.json`.
        what: What a message calls the file.

    Raises:
        DataAbsent: There is none.
        DataError: There are several.
    """
    places = list(_places(image, folder, endings))
    found = [path for path in places if path.exists()]
    if not found:
        raise DataAbsent(f"{places[0]}: no such file; expected the {what} of {image.parent.name}/{image.name}")
    if len(found) > 1:
        raise DataError(f"{found[0]}: {found[1]} is a {what} of the same image too; keep one of them")
    return found[0]


def check_own(images: Iterable[str], place_of: Callable[[Path], str], what: str) -> None:
    """Refuse a side-car that would serve two images: one of them would silently get that of the other.

    Args:
        images: Paths of the images of a data set. The same image at two places, as queries that are in the gallery
            too, may share one.
        place_of: Says where the side-car of an image is.
        what: What a message calls it.

    Raises:
        DataError: Two different images share one.
    """
    owners: dict[str, str] = {}
    for image in dict.fromkeys(images):
        try:
            place = place_of(Path(image))
        except DataError:  # which is said where it is read
            continue
        first = owners.setdefault(place, image)
        if first != image and len({*hash_files([first, image]).digests.values()}) != 1:
            raise DataError(
                f"{place}: holds the {what} of {first} and of {image}, which are two images; each needs its own, in a "
                "folder named after that of the image"
            )


def _places(image: Path, folder: Path, endings: Sequence[str]) -> Iterator[Path]:
    for parent in (folder, folder / image.parent.name):
        for name in dict.fromkeys((image.stem, image.name)):
            for ending in endings:
                yield parent / f"{name}{ending}"
