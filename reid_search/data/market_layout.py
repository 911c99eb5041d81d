"""The folder layout of Market-1501 (Zheng et al., ICCV 2015): which files belong to it, and what their names say.

A name such as `0002_c1s1_000451_03.jpg` holds the identity (-1: junk, 0: distractor), the camera, the sequence, the
frame and the number of the box. Some names of the real data set end in `.jpg.jpg`. No image is opened here.
"""

import re
from pathlib import Path

from reid_search.data.listing import About, Listing, Part, stem_of
from reid_search.errors import DataAbsent, DataError

FOLDERS: dict[Part, str] = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}

_NAME = re.compile(r"(-1|\d{4,5})_c(\d+)s(\d+)_(\d+)_(\d+)")
_EXAMPLE = "0002_c1s1_000451_03.jpg"


def read_market_layout(root: Path, about: About) -> Listing:
    """List a folder in the layout of Market-1501.

    Raises:
        DataError: The folder is missing, has another layout, a part of it is empty, or a name does not fit.
    """
    if not root.is_dir():
        raise DataAbsent(f"{root}: no such folder; expected one that holds {', '.join(FOLDERS.values())}")
    missing = [name for name in FOLDERS.values() if not (root / name).is_dir()]
    if missing:
        raise DataAbsent(f"{root}: {_what_is_missing(root, missing)}")
    listing = Listing(root, about)
    for part, name in FOLDERS.items():
        _list_part(listing, part, root / name)
    return listing


def _list_part(listing: Listing, part: Part, folder: Path) -> None:
    path = None
    for path in listing.image_files(folder):
        found = _NAME.fullmatch(stem_of(path.name))
        if found is None:
            raise DataError(
                f"{path}: this name is not of the Market-1501 layout; expected identity, camera and sequence, frame, "
                f"box, such as {_EXAMPLE}"
            )
        listing.use(path, part, int(found[1]), int(found[2]))
    if path is None:
        raise DataAbsent(f"{folder}: holds no images; expected names such as {_EXAMPLE}")
    if not listing.counts(part).images:
        raise DataError(f"{folder}: holds junk and distractors only; training needs identities of 1 or more")


def _what_is_missing(root: Path, missing: list[str]) -> str:
    inside = sorted(path for path in root.iterdir() if path.is_dir())
    whole = [path for path in inside if all((path / name).is_dir() for name in FOLDERS.values())]
    if whole:
        return f"not the data set itself; did you mean {whole[0]}?"
    if not any(root.iterdir()):
        return f"is empty; expected {', '.join(FOLDERS.values())}"
    found = ", ".join(path.name for path in inside[:6]) or "files only"
    return f"{', '.join(missing)} missing; found {found}; expected {', '.join(FOLDERS.values())}"
