"""Loading a data set in the layout of Market-1501."""

from pathlib import Path

from reid_search.data.dataset import ReidDataset, read_market_layout
from reid_search.data.market1501.config import MarketConfig


def load(config: MarketConfig, cache: Path) -> ReidDataset:
    """Read the tables; the images stay where they are."""
    del cache
    return read_market_layout(config.name, config.folder(), side_cars=config.side_cars())
