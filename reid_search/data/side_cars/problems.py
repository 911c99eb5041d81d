"""What is wrong with the side-cars of a whole data set, file by file."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reid_search.common.contents import hash_files, known_verdicts, remember_verdicts
from reid_search.data.decoding import quiet
from reid_search.data.side_cars.attributes import attributes_of
from reid_search.data.side_cars.files import OwnFile, PerImage, Place, Size, check_own, file_of
from reid_search.data.side_cars.readers import file_at, places_of, readers_of
from reid_search.errors import DataAbsent, DataError
from reid_search.study import SideCar
from reid_search.study.trial.key import digest
from reid_search.words import several

if TYPE_CHECKING:
    from reid_search.data.dataset import ReidDataset

_SOUND = "sound"
_SIZE = (8, 8)
_Images = Sequence[tuple[str, Place]]


def side_car_problems(dataset: "ReidDataset") -> list[str]:
    """Return what is wrong with the side-cars of a data set, file by file."""
    needs = dict.fromkeys(dataset.tables, tuple(dataset.side_cars))
    return [str(problem) for problems in _problems_by_kind(dataset, needs).values() for problem in problems]


def check_side_cars(dataset: "ReidDataset", needs: Mapping[str, Collection[SideCar]]) -> None:
    """Refuse a data set in which an image lacks a side-car that a trial needs, or has a wrong one.

    Args:
        dataset: The data set.
        needs: The side-cars that each table needs.

    Raises:
        DataError: There is such an image; the message names the first, and how many there are.
    """
    for kind, problems in _problems_by_kind(dataset, needs).items():
        if problems:
            count = sum(len(table) for name, table in dataset.tables.items() if kind in needs.get(name, ()))
            lacking = DataAbsent if isinstance(problems[0], DataAbsent) else DataError
            how_many = f"; {len(problems):,} of {several(count, 'image')} lack {kind}, or have wrong ones"
            raise lacking(f"{problems[0]}{'' if kind == 'attributes' else how_many}")


def _problems_by_kind(
    dataset: "ReidDataset", needs: Mapping[str, Collection[SideCar]]
) -> dict[SideCar, list[DataError]]:
    found: dict[SideCar, list[DataError]] = {}
    tables = {name: table for name, table in dataset.tables.items() if name in needs}
    for kind, (reader, form) in readers_of(dataset.forms).items():
        wanted = [table for name, table in tables.items() if kind in needs[name]]
        if wanted and kind in dataset.side_cars:
            images = list(dict.fromkeys(image for table in wanted for image in places_of(kind, dataset, table)))
            found[kind] = [*_problems(kind, form, reader, images), *_shared(kind, images)]
    if "attributes" in needs.get("train", ()) and "attributes" in dataset.side_cars:
        found["attributes"] = list(_problems_of_attributes(dataset))
    return found


def _problems_of_attributes(dataset: "ReidDataset") -> Iterator[DataError]:
    try:
        trained = dataset.train["identity"].to_numpy(np.int64)
        attributes_of(trained, dataset.side_cars["attributes"], dataset.identities(), dataset.labels)
    except DataError as error:
        yield error


def _problems(
    kind: PerImage, form: str, reader: Callable[[Path, Place, Size], object], images: _Images
) -> list[DataError]:
    """Read the side-car of every image; one that was once found sound is read again only after it has changed."""
    judge = f"side-car 1, {kind}{form}"
    names = _names_of(kind, images)
    known = known_verdicts(judge, filter(None, names))

    def problem_with(image: tuple[str, Place]) -> DataError | None:
        try:
            reader(Path(image[0]), image[1], _SIZE)
        except DataError as error:
            return error
        return None

    unknown = [(name, image) for name, image in zip(names, images, strict=True) if known.get(name) != _SOUND]
    with quiet(), ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(problem_with, (image for _, image in unknown)))
    sound = [name for (name, _), problem in zip(unknown, found, strict=True) if name and problem is None]
    remember_verdicts(judge, dict.fromkeys(sound, _SOUND))
    return [problem for problem in found if problem is not None]


def _names_of(kind: PerImage, images: _Images) -> list[str]:
    """Return for each image what is equal where the image and its side-car are; empty where there is none to read."""
    files = [_file(kind, Path(image), place) for image, place in images]
    digests = hash_files({*(image for image, _ in images), *filter(None, files)}).digests
    return [
        digest([digests[image], digests[file], *_told(image, place)]) if image in digests and file in digests else ""
        for (image, place), file in zip(images, files, strict=True)
    ]


def _file(kind: PerImage, image: Path, place: Place) -> str:
    if isinstance(place, Path) and place.is_file():  # that of all images
        return str(place)
    try:
        return str(file_of(image, place, kind))
    except DataError:
        return ""


def _told(image: str, place: Place) -> list[object]:
    """Return what else decides how a side-car is read: a box, or the name of the image in the file of all."""
    if isinstance(place, OwnFile):
        return [str(place.box), place.is_shared]
    return [image] if place.is_file() else []


def _shared(kind: PerImage, images: _Images) -> Iterator[DataError]:
    try:
        check_own(images, file_at(kind), kind)
    except DataError as error:
        yield error
