"""What the losses of a batch may look at, beside the taps."""

from dataclasses import dataclass

from torch import Tensor


@dataclass
class Targets:
    """What is known of the B images of a batch, transformed as the images were.

    Attributes:
        identities: `(B,)` classes, counted from 0.
        attributes: `(B, 27)` values, whole numbers in the order of `study.side_cars.ATTRIBUTES`.
        maps: `(B, 4, H, W)` part maps in [0, 1], at the size of the images.
        keypoints: `(B, 17, 3)`: x and y in pixels of the image, visibility 0 (absent), 1 (occluded) or 2 (visible).
    """

    identities: Tensor
    attributes: Tensor | None = None
    maps: Tensor | None = None
    keypoints: Tensor | None = None
