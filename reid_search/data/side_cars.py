"""Side-cars on disk: part maps, keypoints and attributes of a data set's images.

* Part maps: a folder with one file per image, named after it: `<stem>.png` (one channel at the size of the image, 0
  background, then `PARTS` from 1) or `<stem>.npz` (an array `maps` of shape `(5, h, w)`: probabilities of background
  and `PARTS`, on any grid). Files may lie in sub-folders named after those of the images.
* Keypoints: a folder of `<stem>.json` files whose `keypoints` are 51 numbers as COCO has them: x, y, visibility.
* Attributes: a CSV table with the columns `identity` and `ATTRIBUTES`, one row per identity.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from reid_search.common.arrays import Integers
from reid_search.errors import DataAbsent, DataError
from reid_search.study.trial.side_cars import ATTRIBUTES, KEYPOINTS, PARTS, SideCar

if TYPE_CHECKING:
    from reid_search.data.dataset import ReidDataset

Maps = npt.NDArray[np.uint8]
Keypoints = npt.NDArray[np.float32]
Size = tuple[int, int]

_LABELS = ", ".join(f"{number} {name}" for number, name in enumerate(("background", *PARTS)))
_SUM_TOLERANCE = 0.02


def read_maps(image: Path, folder: Path, size: Size) -> Maps:
    """Return an image's part maps, resized to `(4, H, W)`, probabilities times 255.

    Raises:
        DataError: The image has no file in the folder, or its content is wrong.
    """
    path = _file_of(image, folder, (".png", ".npz"), "part map")
    maps = _labelled(path, image) if path.suffix == ".png" else _soft(path)
    return np.stack([_resized(plane, size) for plane in maps])


def read_keypoints(image: Path, folder: Path, size: Size) -> Keypoints:
    """Return an image's keypoints, `(17, 3)`: x and y in pixels of the resized image, visibility.

    Raises:
        DataError: The image has no file in the folder, its content is wrong, or a keypoint lies outside the image.
    """
    path = _file_of(image, folder, (".json",), "keypoints")
    try:
        numbers = json.loads(path.read_text())["keypoints"]
        keypoints = np.asarray(numbers, np.float32).reshape(len(KEYPOINTS), 3)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"{path}: expected `keypoints` with 51 numbers, x, y and visibility ({reason})") from error
    width, height = _image_size(image)
    _check_keypoints(path, keypoints, width, height)
    scale = np.array([size[1] / width, size[0] / height], np.float32)
    keypoints[:, :2] = (keypoints[:, :2] + 0.5) * scale - 0.5
    keypoints[keypoints[:, 2] == 0] = 0
    return keypoints


def read_attributes(path: Path) -> pd.DataFrame:
    """Return a table of attributes, one row per identity (the index), one column per attribute.

    Raises:
        DataError: The table cannot be read, lacks a column, or holds a value that is not allowed.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable table of attributes ({error})") from error
    for column in ("identity", *ATTRIBUTES):
        if column not in table:
            raise DataError(f"{path}: column '{column}' is missing; expected identity, {', '.join(ATTRIBUTES)}")
    if table["identity"].duplicated().any():
        twice = table["identity"][table["identity"].duplicated()].iloc[0]
        raise DataError(f"{path}: identity {twice} has two rows; expected one")
    for column, count in ATTRIBUTES.items():
        wrong = table[~table[column].isin(range(count))]
        if len(wrong):
            row = wrong.iloc[0]
            raise DataError(
                f"{path}: {column} of identity {row['identity']} is {row[column]}; allowed: 0 to {count - 1}"
            )
    return table.set_index("identity")[list(ATTRIBUTES)].astype(np.int64)


def attributes_of(identities: Integers, path: Path, known: Integers) -> Integers:
    """Return the attributes of images, `(N, 27)`.

    Args:
        identities: `(N,)` identity of each image.
        path: Table of attributes.
        known: All identities of the data set.

    Raises:
        DataError: The table is wrong, lacks an identity, or has one that the data set does not.
    """
    table = read_attributes(path)
    strangers = np.setdiff1d(table.index.to_numpy(np.int64), known)
    if strangers.size:
        raise DataError(f"{path}: identity {strangers[0]} is not in the data set; take out its row")
    lacking = np.setdiff1d(identities, table.index.to_numpy(np.int64))
    if lacking.size:
        raise DataError(f"{path}: no attributes of identity {lacking[0]}, which is trained on; add a row")
    return table.loc[identities].to_numpy(np.int64)


def side_car_problems(dataset: "ReidDataset", side_cars: Mapping[SideCar, Path]) -> list[str]:
    """Return what is wrong with the side-cars of a data set at these paths, file by file."""
    images = [Path(path) for table in dataset.tables.values() for path in table["path"]]
    problems: list[str] = []
    if "maps" in side_cars:
        problems += _problems(read_maps, images, side_cars["maps"])
    if "keypoints" in side_cars:
        problems += _problems(read_keypoints, images, side_cars["keypoints"])
    if "attributes" in side_cars:
        try:
            trained = dataset.train["identity"].to_numpy(np.int64)
            attributes_of(trained, side_cars["attributes"], dataset.identities())
        except DataError as error:
            problems.append(str(error))
    return problems


def _problems(reader: Callable[[Path, Path, Size], object], images: Sequence[Path], folder: Path) -> Iterator[str]:
    for image in images:
        try:
            reader(image, folder, (8, 8))
        except DataError as error:
            yield str(error)


def _file_of(image: Path, folder: Path, suffixes: tuple[str, ...], what: str) -> Path:
    places = [folder / f"{image.stem}{suffix}" for suffix in suffixes]
    places += [folder / image.parent.name / f"{image.stem}{suffix}" for suffix in suffixes]
    found = next((path for path in places if path.exists()), None)
    if found is None:
        raise DataAbsent(f"{places[0]}: no such file; expected the {what} of {image.parent.name}/{image.name}")
    return found


def _labelled(path: Path, image: Path) -> Maps:
    try:
        with Image.open(path) as opened:
            labels = np.asarray(opened)
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path}: not a readable part map ({error})") from error
    width, height = _image_size(image)
    if labels.shape != (height, width):
        shape = "×".join(map(str, labels.shape))
        raise DataError(f"{path}: {shape}; a part map has one channel and the size of its image, {height}×{width}")
    if labels.max(initial=0) > len(PARTS):
        raise DataError(f"{path}: holds the value {labels.max()}; allowed: {_LABELS}")
    return np.where(labels[None] == np.arange(1, len(PARTS) + 1)[:, None, None], np.uint8(255), np.uint8(0))


def _soft(path: Path) -> Maps:
    try:
        with np.load(path, allow_pickle=False) as content:
            maps = np.asarray(content["maps"], np.float64)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: not a readable part map (expected an array `maps`; {error})") from error
    if maps.ndim != 3 or len(maps) != len(PARTS) + 1:
        raise DataError(f"{path}: `maps` has shape {maps.shape}; expected (5, height, width): background, {PARTS}")
    if not (np.isfinite(maps).all() and maps.min() >= 0 and np.abs(maps.sum(axis=0) - 1).max() <= _SUM_TOLERANCE):
        raise DataError(f"{path}: `maps` are no probabilities: from 0 to 1, with the sum 1 at every place")
    return np.round(maps[1:].clip(0, 1) * 255).astype(np.uint8)


def _resized(plane: Maps, size: Size) -> Maps:
    height, width = size
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))


def _image_size(image: Path) -> Size:
    try:
        with Image.open(image) as opened:
            return opened.size
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{image}: not a readable image ({error}); replace the file or take it out") from error


def _check_keypoints(path: Path, keypoints: Keypoints, width: int, height: int) -> None:
    for name, (x, y, visibility) in zip(KEYPOINTS, keypoints.tolist(), strict=True):
        if visibility not in (0, 1, 2):
            raise DataError(
                f"{path}: {name} has the visibility {visibility:g}; allowed: 0 absent, 1 occluded, 2 visible"
            )
        if visibility and not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
            raise DataError(
                f"{path}: {name} lies at ({x:g}, {y:g}), outside the image of {width}×{height}; give it visibility 0"
            )
