"""Settings of a data set in the layout of Market-1501; no torch."""

from pathlib import Path
from typing import Literal

from reid_search.data.folder import FolderConfig
from reid_search.data.listing import About, Listing
from reid_search.data.market_layout import read_market_layout

ABOUT = About("the layout of Market-1501")


class MarketConfig(FolderConfig):
    """A folder in the layout of Market-1501: `bounding_box_train`, `query` and `bounding_box_test`."""

    name: Literal["market1501"]

    def read(self, root: Path) -> Listing:
        """List the three folders."""
        return read_market_layout(root, ABOUT)


CONFIG = MarketConfig
