"""What is wrong with the side-cars of a whole data set, file by file."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reid_search.data.decoding import quiet
from reid_search.data.side_cars.attributes import attributes_of
from reid_search.data.side_cars.files import PerImage, Place, Size, check_own
from reid_search.data.side_cars.readers import file_at, places_of, readers_of
from reid_search.errors import DataError

if TYPE_CHECKING:
    from reid_search.data.dataset import ReidDataset


def side_car_problems(dataset: "ReidDataset") -> list[str]:
    """Return what is wrong with the side-cars of a data set, file by file."""
    problems: list[str] = []
    with quiet():
        for kind, (reader, _) in readers_of(dataset.forms).items():
            if kind in dataset.side_cars:
                images = [image for table in dataset.tables.values() for image in places_of(kind, dataset, table)]
                problems += [*_problems(reader, images), *_shared(kind, images)]
    if "attributes" in dataset.side_cars:
        try:
            trained = dataset.train["identity"].to_numpy(np.int64)
            attributes_of(trained, dataset.side_cars["attributes"], dataset.identities(), dataset.labels)
        except DataError as error:
            problems.append(str(error))
    return problems


def _problems(reader: Callable[[Path, Place, Size], object], images: Sequence[tuple[str, Place]]) -> Iterator[str]:
    for image, place in images:
        try:
            reader(Path(image), place, (8, 8))
        except DataError as error:
            yield str(error)


def _shared(kind: PerImage, images: Sequence[tuple[str, Place]]) -> Iterator[str]:
    try:
        check_own(images, file_at(kind), kind)
    except DataError as error:
        yield str(error)
