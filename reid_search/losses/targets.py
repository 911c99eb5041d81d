"""The targets that losses compare a batch's taps with."""

from dataclasses import dataclass

from torch import Tensor

from reid_search.errors import StudyError
from reid_search.study.trial.side_cars import SideCar, in_words


@dataclass
class Targets:
    """Labels and side-cars of the B images of a batch, transformed as the images were.

    Attributes:
        identities: `(B,)` classes, counted from 0.
        attributes: `(B, 32)` whole numbers, in the order of `ALL_ATTRIBUTES`; -1 is unknown.
        maps: `(B, 4, H, W)` part maps in [0, 1], at the size of the images.
        keypoints: `(B, 17, 3)`: x and y in pixels of the image, visibility 0 (absent), 1 (occluded) or 2 (visible).
        image_size: Height and width of the images in pixels, in which keypoints are given.
    """

    identities: Tensor
    attributes: Tensor | None = None
    maps: Tensor | None = None
    keypoints: Tensor | None = None
    image_size: tuple[int, int] | None = None

    def need(self, kind: SideCar) -> Tensor:
        """Return one kind of side-car, or raise a StudyError if the batch has none."""
        value: Tensor | None = getattr(self, kind)
        if value is None:
            raise StudyError(f"a loss at work needs {in_words(kind)}, and the batch has none")
        return value
