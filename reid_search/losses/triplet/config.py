"""Settings of the triplet loss; no torch."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from reid_search.study import LossConfig


def _number_or_soft(value: object) -> object:
    if value == "soft":
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError(f"{value!r} is neither a number greater than 0 nor 'soft'")
    return float(value)


class TripletConfig(LossConfig):
    """Batch-hard triplet loss with Euclidean distance (not squared), averaged over all anchors.

    Attributes:
        margin: By how much the nearest other identity should be farther than the farthest image of the same one, or
            `soft` for softplus (Hermans et al. 2017, section 2).
    """

    kind: Literal["triplet"]
    margin: Annotated[float | Literal["soft"], BeforeValidator(_number_or_soft)] = Field(default=0.3)


CONFIG = TripletConfig
