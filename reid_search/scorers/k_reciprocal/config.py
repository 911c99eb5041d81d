"""Settings of k-reciprocal re-ranking; no torch."""

from typing import Literal

from pydantic import Field

from reid_search.study import ScorerConfig


class KReciprocalConfig(ScorerConfig):
    """Re-ranking by shared k-reciprocal neighbours; the defaults are those of Zhong et al. 2017, section 4.

    Transductive: the distance of a pair depends on the whole gallery and on the other queries.

    Attributes:
        k1: Neighbours that count as k-reciprocal.
        k2: Neighbours over which the encoding is averaged (local query expansion); 1 averages nothing.
        lambda_value: Weight of the first-stage distance; the Jaccard distance gets the rest.
    """

    kind: Literal["k_reciprocal"]
    k1: int = Field(default=20, ge=1, le=10_000)
    k2: int = Field(default=6, ge=1, le=10_000)
    lambda_value: float = Field(default=0.3, ge=0.0, le=1.0)


CONFIG = KReciprocalConfig
