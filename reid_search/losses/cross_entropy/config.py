"""Settings of the identification loss; no torch."""

from typing import Literal

from pydantic import Field

from reid_search.study import LossConfig


class CrossEntropyConfig(LossConfig):
    """Softmax cross-entropy over the training identities, with a classifier of its own on each tap.

    Attributes:
        label_smoothing: Share of the target spread over all classes (Szegedy et al. 2016).
        bias: Whether the classifiers have a bias.
    """

    kind: Literal["cross_entropy"]
    label_smoothing: float = Field(default=0.0, ge=0.0, lt=1.0)
    bias: bool = False


CONFIG = CrossEntropyConfig
