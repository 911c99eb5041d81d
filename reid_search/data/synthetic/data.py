"""The synthetic pedestrians as a folder in the layout of Market-1501, rendered once."""

from pathlib import Path
from typing import TYPE_CHECKING

from reid_search.data.caching import built_once
from reid_search.data.folder import find_side_cars
from reid_search.data.listing import About
from reid_search.data.market1501.layout import LAYOUT
from reid_search.data.synthetic.config import SyntheticConfig

if TYPE_CHECKING:
    from reid_search.data.dataset import ReidDataset


def folder(config: SyntheticConfig, cache: Path) -> Path:
    """Return the folder of the images below `cache`, rendering it first if it does not exist (see `built_once`).

    Raises:
        ResourceError: The folder cannot be written.
    """
    from reid_search.data.synthetic.write import write_dataset

    target = cache / "synthetic" / f"{config.preset}-{config.fingerprint()}"
    return built_once(target, lambda unfinished: write_dataset(config, unfinished))


def load(config: SyntheticConfig, cache: Path) -> "ReidDataset":
    """Read the tables, rendering the images first if they do not exist."""
    from reid_search.data.dataset import dataset_of

    root = folder(config, cache)
    listing = LAYOUT.read(root, About("synthetic"))
    listing.side_cars = find_side_cars(root)
    return dataset_of(config.name, listing, config.fingerprint())
