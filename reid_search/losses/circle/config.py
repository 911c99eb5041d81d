"""Settings of the circle loss on pairs; no torch."""

from typing import ClassVar, Literal

from pydantic import Field

from reid_search.study import LossConfig


class CircleConfig(LossConfig):
    """Circle loss on the cosines of the batch's pairs (Sun et al. 2020, equation 4), mean over anchors.

    With class-level labels it is `cross_entropy` with `logits: circle`.

    Attributes:
        gamma: Scale γ of the cosines (128 for person re-identification in the paper).
        margin: Relaxation m.
    """

    kind: Literal["circle"]
    compares_images: ClassVar[bool] = True
    gamma: float = Field(default=128.0, ge=1e-3, le=1e4)
    margin: float = Field(default=0.25, ge=0.0, lt=1.0)


CONFIG = CircleConfig
