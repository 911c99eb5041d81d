"""The image cache: images and side-cars are read and resized once per data set and size, then shared as arrays."""

import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from reid_search.common.arrays import chunks
from reid_search.common.places import cache_folder
from reid_search.data.boxes import Box
from reid_search.data.caching import built_once, discard
from reid_search.data.dataset import ReidDataset
from reid_search.data.decoding import decoded, quiet
from reid_search.data.folder import SIDE_CAR_PLACES
from reid_search.data.listing import PARTS as TABLES
from reid_search.data.samples import Pixels, Samples
from reid_search.data.side_cars import attributes_of, check_own, file_at, places_of, readers_of
from reid_search.data.side_cars.files import PerImage, Place
from reid_search.errors import DataError, ResourceError
from reid_search.study import SideCar
from reid_search.study.trial.config import Interpolation
from reid_search.study.trial.side_cars import KEYPOINTS, PARTS

_Array = npt.NDArray[Any]
_Source = TypeVar("_Source")

_LOG = logging.getLogger("reid_search.data")
_ATTEMPTS = 3
_DECODED_AT_ONCE = 256
_FILTERS: dict[Interpolation, Image.Resampling] = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
_PER_IMAGE: dict[PerImage, tuple[tuple[int, ...], type[np.generic]]] = {
    "maps": ((len(PARTS),), np.uint8),
    "keypoints": ((len(KEYPOINTS), 3), np.float32),
}


def open_images(
    dataset: ReidDataset,
    image_size: tuple[int, int],
    cache: Path | None = None,
    needs: Mapping[str, Collection[SideCar]] | None = None,
    tables: Sequence[str] = TABLES,
    interpolation: Interpolation = "bilinear",
) -> dict[str, Samples]:
    """Open the images of a data set, decoding and resizing those that are not in the cache.

    Args:
        dataset: The data set.
        image_size: Height and width in pixels.
        cache: Folder of the cache; the user's cache folder where omitted.
        needs: The side-cars that each table needs.
        tables: The tables that are opened.
        interpolation: How images are resized; part maps are always resized by bilinear interpolation.

    Returns:
        The images of each table, `(N, …)` in the order of its rows; pixels and maps are memory-mapped and shared.

    Raises:
        DataError: A file is not a readable image, or a side-car is missing or wrong; no partial file remains.
    """
    height, width = image_size
    place = f"{dataset.name}-{dataset.fingerprint}-{height}x{width}"
    folder = cache or cache_folder()
    opened = {}
    for name in tables:
        table, wanted = dataset.tables[name], (needs or {}).get(name, ())
        beside: dict[SideCar, _Array] = {
            kind: _open_side_car(dataset, kind, name, image_size, folder / kind / f"{place}-{name}")
            for kind in _PER_IMAGE
            if kind in wanted
        }
        if "attributes" in wanted:
            path = dataset.side_cars["attributes"]
            identities = table["identity"].to_numpy(np.int64)
            beside["attributes"] = attributes_of(identities, path, dataset.identities(), dataset.labels)
        way = "" if interpolation == "bilinear" else f"-{interpolation}"
        pixels = _open_pixels(dataset, table, image_size, interpolation, folder / "images" / f"{place}{way}-{name}")
        opened[name] = Samples(pixels, **beside)
    return opened


def _open_pixels(
    dataset: ReidDataset, table: pd.DataFrame, image_size: tuple[int, int], interpolation: Interpolation, target: Path
) -> Pixels:
    boxes = table["box"] if "box" in table else [None] * len(table)
    images = list(zip(table["path"], boxes, strict=True))
    read = partial(_decode, image_size=image_size, interpolation=interpolation)
    return cast("Pixels", _open_cached(dataset, target, read, images, (*image_size, 3), np.uint8))


def _open_side_car(
    dataset: ReidDataset, kind: PerImage, table: str, image_size: tuple[int, int], target: Path
) -> _Array:
    shape, number = _PER_IMAGE[kind]
    read, form = readers_of(dataset.forms)[kind]
    size = image_size if kind == "maps" else ()
    if kind not in dataset.side_cars:
        raise DataError(f"{dataset.name}: has no {kind}; expected a folder '{SIDE_CAR_PLACES[kind]}' beside its images")
    target = target.with_name(f"{target.name}{form}")

    if not target.exists():
        everything = chain.from_iterable(places_of(kind, dataset, each) for each in dataset.tables.values())
        check_own(everything, file_at(kind), kind)

    def read_beside(image: tuple[str, Place]) -> _Array:
        return read(Path(image[0]), image[1], image_size)

    places = places_of(kind, dataset, dataset.tables[table])
    return _open_cached(dataset, target, read_beside, places, (*shape, *size), number)


def _open_cached(
    dataset: ReidDataset,
    target: Path,
    read: Callable[[_Source], _Array],
    sources: Sequence[_Source],
    shape: tuple[int, ...],
    number: type[np.generic],
) -> _Array:
    """Open an array that is kept in a folder, made of the sources if it is not there or damaged."""

    def build(folder: Path) -> None:
        _write(folder / "values.npy", read, sources, shape, number)
        dataset.check_unchanged()  # what is kept under the fingerprint must be made of its files

    for _ in range(_ATTEMPTS):
        path = built_once(target, build) / "values.npy"
        with suppress(OSError, ValueError, EOFError):
            values = np.load(path, mmap_mode="r")
            if (values.shape, values.dtype) == ((len(sources), *shape), number):
                return cast("_Array", values)
        _LOG.warning("%s: damaged; it is built again", path)
        discard(target)
    raise ResourceError(f"{target}: damaged however often it is built; set REID_SEARCH_CACHE to another folder")


def _write(
    target: Path,
    read: Callable[[_Source], _Array],
    sources: Sequence[_Source],
    shape: tuple[int, ...],
    number: type[np.generic],
) -> None:
    values = np.lib.format.open_memmap(target, mode="w+", dtype=number, shape=(len(sources), *shape))
    _reserve(target)
    with quiet(), ThreadPoolExecutor(os.cpu_count()) as pool:
        for rows in chunks(len(sources), _DECODED_AT_ONCE):
            found = pool.map(read, sources[rows])
            for row, value in enumerate(found, start=rows.start):
                values[row] = value
    values.flush()


def _reserve(target: Path) -> None:
    """Claim the disk that a mapped file needs: where it is full, writing to the file would kill the process."""
    if hasattr(os, "posix_fallocate"):
        with target.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, target.stat().st_size)


def _decode(source: tuple[str, Box | None], image_size: tuple[int, int], interpolation: Interpolation) -> Pixels:
    height, width = image_size
    return np.asarray(decoded(*source).resize((width, height), _FILTERS[interpolation]))
