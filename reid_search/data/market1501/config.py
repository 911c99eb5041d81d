"""Settings of a data set in the layout of Market-1501; no torch."""

from pathlib import Path
from typing import ClassVar, Literal

from reid_search.common.labels import DISTRACTOR
from reid_search.data.listing import About, Counts, Listing
from reid_search.data.market1501.layout import LAYOUT
from reid_search.data.part_folders import PartFolders, PartFoldersConfig
from reid_search.errors import DataAbsent

ABOUT = About(
    title="Market-1501",
    published={"train": Counts(12_936, 751), "query": Counts(3_368, 750), "gallery": Counts(19_732, 750)},
    licence="for academic research",
)


class MarketConfig(PartFoldersConfig):
    """A folder in the layout of Market-1501: `bounding_box_train`, `query` and `bounding_box_test`.

    Attributes:
        distractors: Whether the 500,000 distractors in the folder `images` beside them are in the gallery too.
    """

    about: ClassVar[About] = ABOUT
    layout: ClassVar[PartFolders] = LAYOUT
    name: Literal["market1501"]
    distractors: bool = False

    def read(self, root: Path) -> Listing:
        """List the three folders.

        Raises:
            DataError: They are missing or of another layout, or there is no folder of distractors.
        """
        listing = super().read(root)
        if self.distractors:
            before = len(listing.images)
            for path in listing.image_files(root / "images"):
                listing.use(path, "gallery", DISTRACTOR, 0)
            if len(listing.images) == before:
                raise DataAbsent(f"{root / 'images'}: holds no images; expected the distractors of Market-1501")
        return listing


CONFIG = MarketConfig
