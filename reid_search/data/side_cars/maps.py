"""Part maps: a folder with one file for each image, named after it (its stem or its whole name, and the ending).

* `.png`: one channel at the size of the image, whose values are labels. The colours of an indexed PNG do not matter.
* `.npy` or `.npz`: labels, `(h, w)`, or one plane of probabilities for each label, `(C, h, w)`, on any grid. A `.npz`
  holds one array, or calls the right one `maps`.

Files may lie in sub-folders named after those of the images. The map of a box has the size of the box, or that of
the whole image, from which it is cut.
"""

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from reid_search.common.contents import why_unreadable
from reid_search.data.decoding import size_of, why_undecodable
from reid_search.data.side_cars.files import OwnFile, Place, Size, file_of
from reid_search.errors import DataError
from reid_search.study.trial.side_cars import PARTS, MapLabels, Part

Maps = npt.NDArray[np.uint8]
_Values = npt.NDArray[np.generic]

_SUM_TOLERANCE = 0.02
_MOST_VALUES = 64 * 1024 * 1024


@dataclass(frozen=True)
class _Labels:
    """Which labels make each part; every other one is background.

    Attributes:
        parts: Labels of each part, in the order of `PARTS`.
        highest: The highest label there is, and so one less than the number of planes; None where nobody says.
        meaning: What a message says of them.
    """

    parts: Sequence[Sequence[int]]
    highest: int | None
    meaning: str


_KNOWN = {
    "parts": _Labels(
        [(1,), (2,), (3,), (4,)], 4, ", ".join(f"{number} {name}" for number, name in enumerate(("background", *PARTS)))
    ),
    "lip": _Labels(
        [(1, 2, 4, 13), (3, 5, 6, 7, 10, 11, 14, 15), (9, 12, 16, 17), (8, 18, 19)], 19, "0 to 19, the labels of LIP"
    ),
}
"""Our own, and those of Look into Person (Liang et al. 2018), grouped as SPReID does (Kalayeh et al. 2018, §3.2)."""


def map_of(image: Path, folder: Place) -> Path:
    """Return the file of an image's part maps.

    Raises:
        DataError: There is none, or there are several.
    """
    return file_of(image, folder, "maps")


def read_maps(image: Path, folder: Place, size: Size, labels: MapLabels = "parts") -> Maps:
    """Return an image's part maps, resized to `(4, H, W)`, probabilities times 255.

    Args:
        image: The image.
        folder: Folder of its maps, or its own.
        size: Height and width in pixels.
        labels: What the labels mean: `parts`, `lip`, or the labels of each part.

    Raises:
        DataError: The image has no file in the folder, or its content is wrong.
    """
    path = map_of(image, folder)
    values = _drawn(path) if path.suffix.lower() == ".png" else _array(path)
    if isinstance(folder, OwnFile) and folder.box:
        values = _in_box(path, values, image, folder)
    elif path.suffix.lower() == ".png":
        _check_size(path, values, image)
    if values.dtype.kind not in "buif" or not values.size:
        raise DataError(f"{path}: holds no numbers (shape {values.shape}, {values.dtype})")
    known = _KNOWN[labels] if isinstance(labels, str) else _given(labels)
    planes = _labelled(path, values, known) if values.ndim == 2 else _soft(path, values, known)
    return np.stack([_resized(plane, size) for plane in planes])


def _given(labels: Mapping[Part, Sequence[int]]) -> _Labels:
    listed = ", ".join(f"{name} {list(labels.get(name, ()))}" for name in PARTS)
    return _Labels([labels.get(name, ()) for name in PARTS], None, f"0 to 255; the parts are {listed}")


def _drawn(path: Path) -> _Values:
    try:
        with Image.open(path, formats=["PNG"]) as opened:
            return np.asarray(opened)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a readable part map ({why_undecodable(str(path), error)})") from error


def _check_size(path: Path, values: _Values, image: Path) -> None:
    width, height = size_of(image)
    if values.shape != (height, width):
        shape = "×".join(map(str, values.shape))
        raise DataError(
            f"{path}: {shape}; a part map has one channel of labels (indexed or grey, no colours) and the size of its "
            f"image, {height}×{width}"
        )


def _in_box(path: Path, values: _Values, image: Path, own: OwnFile) -> _Values:
    """Return the part of a map that is of the image's box."""
    assert own.box is not None
    (width, height), (left, top, right, bottom) = size_of(image), own.box.edges
    grid = values.shape[-2:]
    if grid == (height, width):
        return values[..., top:bottom, left:right]
    if grid == (own.box.height, own.box.width) and not own.is_shared:
        return values
    of_box = "; several boxes share it" if own.is_shared else f", or of the box, {own.box.height}×{own.box.width}"
    raise DataError(
        f"{path}: {'×'.join(map(str, values.shape))}; the map of the box {own.box} has one channel of labels, or one "
        f"plane a label, of the size of {image.name}, {height}×{width}{of_box}"
    )


def _array(path: Path) -> _Values:
    try:
        content = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(content, np.lib.npyio.NpzFile):
            with content:
                name = "maps" if "maps" in content.files or len(content.files) != 1 else content.files[0]
                _check_bounded(path, zipfile.ZipFile(path).getinfo(f"{name}.npy").file_size)
                return np.asarray(content[name])
        _check_bounded(path, content.size)
        return np.array(content)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        known = isinstance(error, OSError) and error.errno
        what = why_unreadable(str(path), error) if known else "damaged, or no array of numbers"  # type: ignore[arg-type]
        raise DataError(f"{path}: not a readable part map ({what}); expected one array, or an array `maps`") from error


def _check_bounded(path: Path, size: int) -> None:
    if size > _MOST_VALUES:
        raise DataError(f"{path}: not a readable part map ({size:,} values are more than {_MOST_VALUES:,})")


def _labelled(path: Path, values: _Values, labels: _Labels) -> Maps:
    allowed = np.arange(256 if labels.highest is None else labels.highest + 1)
    wrong = values[~np.isin(values, allowed)]
    if wrong.size:
        raise DataError(f"{path}: holds the value {wrong.flat[0]}; allowed: {labels.meaning}")
    return np.where([np.isin(values, numbers) for numbers in labels.parts], np.uint8(255), np.uint8(0))


def _soft(path: Path, values: _Values, labels: _Labels) -> Maps:
    fewest = 1 + (labels.highest if labels.highest is not None else max(chain(*labels.parts), default=0))
    if values.ndim != 3 or len(values) < fewest or (labels.highest is not None and len(values) > fewest):
        raise DataError(
            f"{path}: shape {values.shape}; expected labels (height, width) or one plane a label "
            f"({fewest}, height, width): {labels.meaning}"
        )
    planes = values.astype(np.float64)
    of_one = labels.highest is None or np.abs(planes.sum(axis=0) - 1).max() <= _SUM_TOLERANCE
    if not (np.isfinite(planes).all() and planes.min() >= 0 and planes.max() <= 1 + _SUM_TOLERANCE and of_one):
        raise DataError(f"{path}: no probabilities: from 0 to 1, with the sum 1 at every place")
    parts = np.stack([planes[list(numbers)].sum(axis=0) for numbers in labels.parts])
    if labels.highest is None:  # planes of a confidence each, which need not sum to one
        parts /= np.maximum(parts.sum(axis=0), 1)
    return np.round(parts.clip(0, 1) * 255).astype(np.uint8)


def _resized(plane: Maps, size: Size) -> Maps:
    height, width = size
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
