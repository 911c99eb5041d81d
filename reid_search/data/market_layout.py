"""The folder layout of Market-1501 (Zheng et al., ICCV 2015): which files belong to it, and what their names say.

A name such as `0002_c1s1_000451_03.jpg` holds the identity (-1: junk, 0: distractor), the camera, the sequence, the
frame and the number of the box. Some names of the real data set end in `.jpg.jpg`. No image is opened here.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reid_search.common.labels import DISTRACTOR
from reid_search.errors import DataAbsent, DataError
from reid_search.study import SideCar

FOLDERS = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}
SIDE_CAR_PLACES: dict[SideCar, str] = {"maps": "masks", "keypoints": "keypoints", "attributes": "attributes.csv"}

_NAME = re.compile(r"(-1|\d{4,5})_c(\d+)s(\d+)_(\d+)_(\d+)(\.jpe?g){1,2}", re.IGNORECASE)
_EXAMPLE = "0002_c1s1_000451_03.jpg"


@dataclass(frozen=True)
class ListedImage:
    """One file, its size in bytes, and the identity (-1: junk, 0: distractor) and camera that its name gives."""

    path: Path
    identity: int
    camera: int
    size: int


def list_images(root: Path) -> dict[str, list[ListedImage]]:
    """Return the images of `train`, `query` and `gallery`, each sorted by file name.

    Raises:
        DataError: The folder is missing, has another layout, a part of it is empty, or a name does not fit.
    """
    if not root.is_dir():
        raise DataAbsent(f"{root}: no such folder; expected one that holds {', '.join(FOLDERS.values())}")
    missing = [name for name in FOLDERS.values() if not (root / name).is_dir()]
    if missing:
        raise DataAbsent(f"{root}: {_what_is_missing(root, missing)}")
    return {table: _list_part(root / name, table) for table, name in FOLDERS.items()}


def unused_files(root: Path) -> dict[str, list[str]]:
    """Return the files in the three folders that no table uses, by reason.

    Raises:
        DataError: As `list_images` does.
    """
    used = {image.path for listed in list_images(root).values() for image in listed}
    unused: dict[str, list[str]] = {}
    for folder in FOLDERS.values():
        for path in sorted((root / folder).iterdir()):
            if path not in used:
                unused.setdefault(_why_unused(path), []).append(f"{folder}/{path.name}")
    return unused


def _why_unused(path: Path) -> str:
    if path.name.startswith("."):
        return "hidden files"
    return "junk and distractors in training" if _is_image(path) else "other files"


def _is_image(path: Path) -> bool:
    """Tell images from hidden files such as a Mac's `._0002_c1s1_000451_03.jpg`, which hold no image."""
    return path.suffix.lower() in (".jpg", ".jpeg") and not path.name.startswith(".")


def find_side_cars(root: Path) -> dict[SideCar, Path]:
    """Return the side-cars in their usual places in a data set's folder."""
    return {kind: root / name for kind, name in SIDE_CAR_PLACES.items() if (root / name).exists()}


def fingerprint(images: Mapping[str, Sequence[ListedImage]], side_cars: Mapping[SideCar, Path]) -> str:
    """Return 16 hex digits of the SHA-256 of every image's and side-car's name and size.

    Raises:
        DataError: A side-car that is named is missing.
    """
    lines = [f"{table}/{image.path.name}:{image.size}" for table, listed in sorted(images.items()) for image in listed]
    for kind, place in sorted(side_cars.items()):
        lines += [f"{kind}/{path.name}:{path.stat().st_size}" for path in _side_car_files(kind, place)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _side_car_files(kind: SideCar, place: Path) -> list[Path]:
    if not place.exists():
        raise DataAbsent(f"{place}: no such {'table' if kind == 'attributes' else 'folder'} of {kind}")
    return sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]


def _list_part(folder: Path, table: str) -> list[ListedImage]:
    files = sorted(path for path in folder.iterdir() if _is_image(path))
    if not files:
        raise DataAbsent(f"{folder}: holds no JPEG files; expected names such as {_EXAMPLE}")
    images = [_parse(path) for path in files]
    for image in images:
        if table == "query" and image.identity <= DISTRACTOR:
            raise DataError(f"{image.path}: identity {image.identity} as a query; a query's identity is 1 or more")
    if table == "train":
        images = [image for image in images if image.identity > DISTRACTOR]
        if not images:
            raise DataError(f"{folder}: holds junk and distractors only; training needs identities of 1 or more")
    return images


def _parse(path: Path) -> ListedImage:
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise DataError(
            f"{path}: this name is not of the Market-1501 layout; expected identity, camera and sequence, frame, box, "
            f"such as {_EXAMPLE}"
        )
    return ListedImage(path, int(found[1]), int(found[2]), path.stat().st_size)


def _what_is_missing(root: Path, missing: list[str]) -> str:
    inside = sorted(path for path in root.iterdir() if path.is_dir())
    whole = [path for path in inside if all((path / name).is_dir() for name in FOLDERS.values())]
    if whole:
        return f"not the data set itself; did you mean {whole[0]}?"
    if not any(root.iterdir()):
        return f"is empty; expected {', '.join(FOLDERS.values())}"
    found = ", ".join(path.name for path in inside[:6]) or "files only"
    return f"{', '.join(missing)} missing; found {found}"
