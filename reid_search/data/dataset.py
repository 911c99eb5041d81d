"""A data set as tables of images."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas as pd

from reid_search.data.caching import cache_folder
from reid_search.data.market_layout import ListedImage, fingerprint, list_images
from reid_search.study import DataConfig

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
        fingerprint: What identifies images and labels.
    """

    name: str
    train: pd.DataFrame
    query: pd.DataFrame
    gallery: pd.DataFrame
    fingerprint: str


def load_dataset(config: DataConfig, cache: Path | None = None) -> ReidDataset:
    """Load the tables of a data set, making it first where it is a synthetic one.

    Args:
        config: The config of any data set.
        cache: Folder of made data sets; the user's cache folder where omitted.

    Raises:
        DataError: The data set is missing or of another layout.
    """
    module = importlib.import_module(type(config).__module__.rpartition(".")[0] + ".data")
    return cast("ReidDataset", module.load(config, cache or cache_folder()))


def read_market_layout(name: str, root: Path, identity: str | None = None) -> ReidDataset:
    """Read a folder in the layout of Market-1501.

    Args:
        name: What the data set is called.
        root: Its folder.
        identity: Its fingerprint where it has one of its own; that of its files where omitted.

    Raises:
        DataError: The folder is missing or of another layout.
    """
    images = list_images(root)
    tables = {table: _table(images[table]) for table in TABLES}
    return ReidDataset(name, **tables, fingerprint=identity or fingerprint(images))


def _table(images: list[ListedImage]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "path": [str(image.path) for image in images],
            "identity": [image.identity for image in images],
            "camera": [image.camera for image in images],
        }
    )
