"""What is wrong with the side-cars of a whole data set, file by file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from reid_search.data.decoding import quiet
from reid_search.data.side_cars.attributes import attributes_of
from reid_search.data.side_cars.files import Size, check_own
from reid_search.data.side_cars.readers import place_of, readers_of
from reid_search.errors import DataError
from reid_search.study.trial.side_cars import SideCar

if TYPE_CHECKING:
    from reid_search.data.dataset import ReidDataset


def side_car_problems(dataset: "ReidDataset", side_cars: Mapping[SideCar, Path]) -> list[str]:
    """Return what is wrong with the side-cars of a data set at these paths, file by file."""
    images = [Path(path) for path in dataset.paths()]
    problems: list[str] = []
    with quiet():
        for kind, (reader, _) in readers_of(dataset.forms).items():
            if kind in side_cars:
                problems += _problems(reader, images, side_cars[kind])
                problems += _shared(kind, dataset, side_cars[kind])
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


def _shared(kind: Literal["maps", "keypoints"], dataset: "ReidDataset", place: Path) -> Iterator[str]:
    try:
        check_own(dataset.paths(), place_of(kind, place), kind)
    except DataError as error:
        yield str(error)
