"""Settings of the centre loss; no torch."""

from typing import ClassVar, Literal

from pydantic import Field

from reid_search.study import LossConfig


class CentreConfig(LossConfig):
    """The squared distance of a feature to its class's centre, averaged over images.

    Attributes:
        form: `wen`: half the distance; centres start at 0 and follow the mean of their images (Wen et al. 2016,
            equations 2 and 4). `luo`: the whole distance; centres start at normal random values and take SGD steps on
            it, whatever the weight of the loss (the code of Luo et al. 2019, whose weight is 5e-4).
        rate: How fast centres move: α of Wen et al., or the learning rate of the centres.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("form",)
    kind: Literal["centre"]
    form: Literal["wen", "luo"] = "wen"
    rate: float = Field(default=0.5, gt=0.0, le=1.0)


CONFIG = CentreConfig
