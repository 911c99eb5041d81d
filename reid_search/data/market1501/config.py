"""Settings of a data set in the layout of Market-1501; no torch."""

from pathlib import Path
from typing import Literal

from reid_search.data.market_layout import fingerprint, list_images
from reid_search.errors import DataNotGiven
from reid_search.study import DataConfig
from reid_search.study.config import ImageSize


class MarketConfig(DataConfig):
    """A folder in the layout of Market-1501.

    Attributes:
        root: Folder that holds `bounding_box_train`, `query` and `bounding_box_test`; `--data` gives it, too.
    """

    name: Literal["market1501"]
    image_size: ImageSize = (256, 128)
    root: Path | None = None

    def fingerprint(self) -> str:
        """Return what identifies the images and labels: a hash of every file's name and size.

        Raises:
            DataError: The folder is not given, missing or of another layout.
        """
        return fingerprint(list_images(self.folder()))

    def folder(self) -> Path:
        """Return the data set's folder.

        Raises:
            DataNotGiven: No folder is named.
        """
        if self.root is None:
            raise DataNotGiven("data.root: not given; name the folder of Market-1501 there or with --data DIR")
        return self.root

    def at(self, root: Path) -> "MarketConfig":
        """Return this config reading from `root`."""
        return self.model_copy(update={"root": root})


CONFIG = MarketConfig
