"""The synthetic pedestrians as a folder in the layout of Market-1501, rendered where no process did so before."""

from pathlib import Path
from typing import TYPE_CHECKING

from reid_search.data.caching import built_once
from reid_search.data.synthetic.config import SyntheticConfig

if TYPE_CHECKING:
    from reid_search.data.dataset import ReidDataset


def folder(config: SyntheticConfig, cache: Path) -> Path:
    """Return the folder of the images, rendering them first where they are not there yet.

    However many processes ask, one renders and the others wait. The folder appears only when it is complete.

    Args:
        config: What to render.
        cache: Folder below which it stands.

    Raises:
        ResourceError: The folder cannot be written.
    """
    from reid_search.data.synthetic.write import write_dataset

    target = cache / "synthetic" / f"{config.preset}-{config.fingerprint()}"
    return built_once(target, lambda unfinished: write_dataset(config, unfinished))


def load(config: SyntheticConfig, cache: Path) -> "ReidDataset":
    """Read the tables, rendering the images first where they are not there yet."""
    from reid_search.data.dataset import read_market_layout

    return read_market_layout(config.name, folder(config, cache), config.fingerprint())
