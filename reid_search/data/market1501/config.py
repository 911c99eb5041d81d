"""Settings of a data set in the layout of Market-1501; no torch."""

from pathlib import Path
from typing import ClassVar, Literal

from reid_search.data.market_layout import SIDE_CAR_PLACES, find_side_cars, fingerprint, list_images
from reid_search.errors import DataNotGiven
from reid_search.study import DataConfig, SideCar
from reid_search.study.component import AbsolutePath, absolute
from reid_search.study.trial.config import ImageSize
from reid_search.study.trial.side_cars import SIDE_CARS


class MarketConfig(DataConfig):
    """A folder in the layout of Market-1501.

    Attributes:
        root: Folder that holds `bounding_box_train`, `query` and `bounding_box_test`; `--data` sets it.
        maps: Folder of part maps, made by any parser; `masks` in `root` where omitted, if it exists.
        keypoints: Folder of keypoints; `keypoints` in `root` where omitted, if it exists.
        attributes: Table of attributes; `attributes.csv` in `root` where omitted, if it exists.
    """

    places: ClassVar[tuple[str, ...]] = ("root", *SIDE_CARS)
    name: Literal["market1501"]
    image_size: ImageSize = (256, 128)
    root: AbsolutePath | None = None
    maps: AbsolutePath | None = None
    keypoints: AbsolutePath | None = None
    attributes: AbsolutePath | None = None

    @property
    def offers(self) -> frozenset[SideCar]:
        """The side-cars that exist; all of them while no folder is given."""
        return frozenset(SIDE_CARS) if self.root is None else frozenset(self.side_cars())

    def how_to_offer(self, kind: SideCar) -> str:
        """Say where a side-car is expected."""
        return f"name their place in data.{kind}, or put them at {self.folder() / SIDE_CAR_PLACES[kind]}"

    def side_cars(self) -> dict[SideCar, Path]:
        """Return the paths of the side-cars that exist."""
        named = {kind: getattr(self, kind) for kind in SIDE_CARS if getattr(self, kind) is not None}
        return {**find_side_cars(self.folder()), **named}

    def fingerprint(self) -> str:
        """Return a hash of the name and size of every image and side-car.

        Raises:
            DataError: The folder is not given, missing or of another layout.
        """
        return fingerprint(list_images(self.folder()), self.side_cars())

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
        return self.model_copy(update={"root": absolute(root)})


CONFIG = MarketConfig
