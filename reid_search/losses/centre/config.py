"""Settings of the centre loss; no torch."""

from typing import Literal

from pydantic import Field

from reid_search.study import LossConfig


class CentreConfig(LossConfig):
    """Half the squared distance of a feature to its class's centre, averaged over images (Wen et al. 2016, equation 2).

    Its weight in the strong baseline of Luo et al. 2019 is 5e-4.

    Attributes:
        rate: How fast centres follow the features, α of Wen et al.
    """

    kind: Literal["centre"]
    rate: float = Field(default=0.5, gt=0.0, le=1.0)


CONFIG = CentreConfig
