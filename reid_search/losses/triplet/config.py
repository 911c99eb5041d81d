"""Settings of the triplet loss; no torch."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from reid_search.study import LossConfig
from reid_search.study.component import in_yaml

_LARGEST = 10_000
"""Of a margin: no two features are farther apart, so that a larger one is none."""


def _number_or_soft(value: object) -> object:
    if value == "soft":
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LARGEST:
        raise ValueError(f"{in_yaml(value)} is neither 'soft' nor a number greater than 0, at most {_LARGEST:,}")
    return float(value)


class TripletConfig(LossConfig):
    """Triplet loss on the triplets of the batch.

    Attributes:
        margin: How much farther away the negative should be than the positive, or `soft` for softplus (Hermans et al.
            2017, section 2).
        mining: `batch_hard`, the farthest positive and nearest negative of each anchor, averaged over all anchors; or
            `all` triplets, averaged over those that violate the margin (Suh et al. 2018; `batch all` of non-zero terms
            in Hermans et al.).
        distance: Between two features: `euclidean`, or `squared` Euclidean.
        normalize: Whether features are scaled to unit length first.
    """

    kind: Literal["triplet"]
    compares_images: ClassVar[bool] = True
    margin: Annotated[float | Literal["soft"], BeforeValidator(_number_or_soft)] = Field(default=0.3)
    mining: Literal["batch_hard", "all"] = "batch_hard"
    distance: Literal["euclidean", "squared"] = "euclidean"
    normalize: bool = False


CONFIG = TripletConfig
