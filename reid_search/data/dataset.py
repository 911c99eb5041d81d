"""A data set as tables of images."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from reid_search.common.labels import DISTRACTOR
from reid_search.common.places import cache_folder
from reid_search.data.market_layout import ListedImage, find_side_cars, fingerprint, list_images
from reid_search.study import DATASETS, DataConfig, SideCar

TABLES = ("train", "query", "gallery")


@dataclass(frozen=True)
class ReidDataset:
    """Images for training and testing.

    Each table has one row per image with the columns `path`, `identity` (1 or more; in the gallery also -1, junk, and
    0, distractor) and `camera`. The identities of `train` and of `query` are unrelated.

    Attributes:
        name: The data set.
        train: Training images.
        query: Query images.
        gallery: Gallery images.
        fingerprint: Identifies images, labels and side-cars.
        side_cars: Paths of the part maps, keypoints and attributes that exist.
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
    """Load the tables of a data set; a synthetic one is rendered first.

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
        name: The data set's name.
        root: Its folder.
        identity: Its fingerprint; that of its files where omitted.
        side_cars: Paths of its side-cars; the usual places where omitted.

    Raises:
        DataError: The folder is missing or of another layout.
    """
    images = list_images(root)
    tables = {table: _table(images[table]) for table in TABLES}
    beside = find_side_cars(root) if side_cars is None else side_cars
    return ReidDataset(name, **tables, fingerprint=identity or fingerprint(images, beside), side_cars=beside)


def _table(images: list[ListedImage]) -> pd.DataFrame:
    rows = [(str(image.path), image.identity, image.camera) for image in images]
    return pd.DataFrame(rows, columns=["path", "identity", "camera"])
