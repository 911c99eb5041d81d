"""A data set as tables of images."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from reid_search.common.labels import DISTRACTOR
from reid_search.data.caching import cache_folder
from reid_search.data.market_layout import ListedImage, find_side_cars, fingerprint, list_images
from reid_search.study import DATASETS, DataConfig, SideCar

TABLES = ("train", "query", "gallery")


@dataclass(frozen=True)
class ReidDataset:
    """Images to learn from and to be tested on.

    Each table has a row an image with the columns `path`, `identity` (1 or more; in the gallery also -1, junk, and 0,
    distractor) and `camera`. Identities of `train` and of `query` have nothing to do with each other.

    Attributes:
        name: The data set.
        train: Images to learn from.
        query: Images to search with.
        gallery: Images to find.
        fingerprint: What identifies images, labels and side-cars.
        side_cars: Where part maps, keypoints and attributes lie, as far as there are any.
    """

    name: str
    train: pd.DataFrame
    query: pd.DataFrame
    gallery: pd.DataFrame
    fingerprint: str
    side_cars: Mapping[SideCar, Path] = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name."""
        return {name: getattr(self, name) for name in TABLES}

    def identities(self) -> npt.NDArray[np.int64]:
        """Return every person's identity, ascending."""
        found = np.unique(np.concatenate([table["identity"].to_numpy(np.int64) for table in self.tables.values()]))
        return found[found > DISTRACTOR]


def load_dataset(config: DataConfig, cache: Path | None = None) -> ReidDataset:
    """Load the tables of a data set, making it first where it is a synthetic one.

    Args:
        config: The config of any data set.
        cache: Folder of made data sets; the user's cache folder where omitted.

    Raises:
        DataError: The data set is missing or of another layout.
    """
    return cast("ReidDataset", DATASETS.work_module(config).load(config, cache or cache_folder()))


def read_market_layout(
    name: str, root: Path, identity: str | None = None, side_cars: Mapping[SideCar, Path] | None = None
) -> ReidDataset:
    """Read a folder in the layout of Market-1501.

    Args:
        name: What the data set is called.
        root: Its folder.
        identity: Its fingerprint where it has one of its own; that of its files where omitted.
        side_cars: Where its side-cars lie; those in their usual places where omitted.

    Raises:
        DataError: The folder is missing or of another layout.
    """
    images = list_images(root)
    tables = {table: _table(images[table]) for table in TABLES}
    beside = find_side_cars(root) if side_cars is None else side_cars
    return ReidDataset(name, **tables, fingerprint=identity or fingerprint(images, beside), side_cars=beside)


def _table(images: list[ListedImage]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "path": [str(image.path) for image in images],
            "identity": [image.identity for image in images],
            "camera": [image.camera for image in images],
        }
    )
