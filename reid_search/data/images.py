"""The image cache: every image decoded and resized once per data set and size, then shared as memory-mapped arrays."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from reid_search.data.caching import built_once, cache_folder
from reid_search.data.dataset import TABLES, ReidDataset
from reid_search.errors import DataError

Pixels = npt.NDArray[np.uint8]

_DECODED_AT_ONCE = 256


@dataclass(frozen=True)
class ImageCache:
    """The images of a data set, `(N, H, W, 3)` each, in the order of its tables; read-only and shared.

    Attributes:
        train: Images of `ReidDataset.train`.
        query: Images of `ReidDataset.query`.
        gallery: Images of `ReidDataset.gallery`.
    """

    train: Pixels
    query: Pixels
    gallery: Pixels


def open_images(dataset: ReidDataset, image_size: tuple[int, int], cache: Path | None = None) -> ImageCache:
    """Open the images of a data set, decoding and resizing them where no process did so before.

    Args:
        dataset: The data set.
        image_size: Height and width in pixels.
        cache: Folder of the cache; the user's cache folder where omitted.

    Raises:
        DataError: A file is not a readable image; nothing is left behind.
    """
    height, width = image_size
    target = (cache or cache_folder()) / "images" / f"{dataset.name}-{dataset.fingerprint}-{height}x{width}"

    def build(folder: Path) -> None:
        for table in TABLES:
            _decode_all(getattr(dataset, table)["path"], image_size, folder / f"{table}.npy")

    built_once(target, build)
    return ImageCache(**{table: np.load(target / f"{table}.npy", mmap_mode="r") for table in TABLES})


def unreadable_images(paths: Sequence[str]) -> list[str]:
    """Return what is wrong with each file that is not a readable image."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [problem for problem in pool.map(_problem, paths) if problem]


def _problem(path: str) -> str | None:
    try:
        _decode(path, (8, 8))
    except DataError as error:
        return str(error)
    return None


def _decode_all(paths: Sequence[str], image_size: tuple[int, int], target: Path) -> None:
    shape = (len(paths), *image_size, 3)
    images = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for rows in _chunks(len(paths)):
            decoded = pool.map(lambda row: _decode(paths[row], image_size), rows)
            for row, image in zip(rows, decoded, strict=True):
                images[row] = image
    images.flush()


def _chunks(count: int) -> Iterator[range]:
    return (range(start, min(start + _DECODED_AT_ONCE, count)) for start in range(0, count, _DECODED_AT_ONCE))


def _decode(path: str, image_size: tuple[int, int]) -> Pixels:
    height, width = image_size
    try:
        with Image.open(path) as image:
            resized = image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path}: not a readable image ({error}); replace the file or take it out") from error
    return np.asarray(resized)
