"""Settings of a data set in the layout of Market-1501; no torch."""

from pathlib import Path
from typing import ClassVar, Literal

from reid_search.common.labels import DISTRACTOR
from reid_search.data.listing import About, Counts, Listing
from reid_search.data.market1501.layout import HAND_DRAWN, LAYOUT
from reid_search.data.part_folders import PartFolders, PartFoldersConfig
from reid_search.errors import DataAbsent, DataError
from reid_search.study import MARKET_RULE, EvaluationRule

OF_NO_QUERY = "hand-drawn boxes of no query"
ABOUT = About(
    title="Market-1501",
    published={"train": Counts(12_936, 751), "query": Counts(3_368, 750), "gallery": Counts(19_732, 750)},
    licence="for academic research",
)


class MarketConfig(PartFoldersConfig):
    """A folder in the layout of Market-1501: `bounding_box_train`, `query` and `bounding_box_test`.

    Attributes:
        distractors: Whether the 500,000 distractors in the folder `images` beside them are in the gallery too.
        multi_query: Whether a query is described by all hand-drawn boxes of its identity in its camera, which lie in
            the folder `gt_bbox`, its own image among them: the mean of their features, normalised as the readout says
            (Zheng et al. 2015). A query that has none there is described by its own image, and counted. The queries of
            the validation split are pooled over the held-out images of their identity in their camera.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("multi_query",)
    about: ClassVar[About] = ABOUT
    layout: ClassVar[PartFolders] = LAYOUT
    name: Literal["market1501"]
    distractors: bool = False
    multi_query: bool = False

    @property
    def rule(self) -> EvaluationRule:
        """That of Market-1501, with one image for each query or several."""
        return EvaluationRule(multi_query=True) if self.multi_query else MARKET_RULE

    def listing(self) -> Listing:
        """Return what the folder holds.

        Raises:
            DataError: As in `read`, or there is no box to pool that can be read.
        """
        listing = super().listing()
        if self.multi_query and not listing.of("multi_query"):
            raise DataError(
                f"{listing.root / HAND_DRAWN}: holds no readable image of a query's identity in its camera; allowed: "
                "multi_query: false"
            )
        return listing

    def read(self, root: Path) -> Listing:
        """List the three folders, and what else is asked for.

        Raises:
            DataError: They are missing or of another layout, or there is no folder of distractors or of boxes to pool.
        """
        listing = super().read(root)
        if self.distractors:
            if not (root / "images").is_dir():
                raise DataAbsent(
                    f"{root / 'images'}: no such folder; expected the 500,000 distractors of Market-1501, an archive "
                    "of their own, unpacked there; allowed: distractors: false"
                )
            before = len(listing.images)
            for path in listing.image_files(root / "images"):
                listing.use(path, "gallery", DISTRACTOR, 0)
            if len(listing.images) == before:
                raise DataAbsent(f"{root / 'images'}: holds no images; expected the distractors of Market-1501")
        if self.multi_query:
            _add_hand_drawn(listing, root / HAND_DRAWN)
        return listing


def _add_hand_drawn(listing: Listing, folder: Path) -> None:
    """Add the hand-drawn boxes of the queries; those of other people and other cameras are not used."""
    if not folder.is_dir():
        raise DataAbsent(f"{folder}: no such folder; multi_query pools the boxes in it; allowed: multi_query: false")
    LAYOUT.add(listing, "multi_query", folder)
    asked = {(image.identity, image.camera) for image in listing.of("query")}
    of_nobody = {image for image in listing.of("multi_query") if (image.identity, image.camera) not in asked}
    for image in sorted(of_nobody):
        listing.leave_out(image.path, OF_NO_QUERY)
    listing.images = [image for image in listing.images if image not in of_nobody]


CONFIG = MarketConfig
