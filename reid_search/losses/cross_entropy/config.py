"""Settings of the identification loss; no torch."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from reid_search.losses.checks import check_one_length
from reid_search.study import LossConfig, TapSpec


class CrossEntropyConfig(LossConfig):
    """Softmax cross-entropy over the training identities, with a classifier on each tap.

    Attributes:
        label_smoothing: Share of the target spread over all classes (Szegedy et al. 2016).
        bias: Whether classifiers of `linear` logits have a bias; the others never do.
        shared: Whether all taps share one classifier and so must have one length (PCB's variant 2).
        dropout: Share of the values dropped before a classifier (Zheng et al. 2017: .75 to .9).
        logits: `linear`; `cosine`, the scaled cosine between feature and class, minus a margin for the image's own
            class (CosFace, Wang et al. 2018; NormFace without margin); `circle`, cosines weighted by their distance
            from the optimum (Sun et al. 2020, section 3.1, with class-level labels).
        scale: Factor of the logits of `cosine` and `circle`; ignored by `linear`.
        margin: Margin of `cosine`, relaxation of `circle`; ignored by `linear`.
    """

    kind: Literal["cross_entropy"]
    label_smoothing: float = Field(default=0.0, ge=0.0, lt=1.0)
    bias: bool = False
    shared: bool = False
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    logits: Literal["linear", "cosine", "circle"] = "linear"
    scale: float = Field(default=64.0, ge=1e-3, le=1e4)
    margin: float = Field(default=0.35, ge=0.0, lt=1.0)

    def check_taps(self, taps: Sequence[TapSpec]) -> None:
        """Raise a StudyError if a shared classifier would have to take vectors of several lengths."""
        if self.shared:
            check_one_length(f"the shared classifier of loss '{self.kind}'", taps)


CONFIG = CrossEntropyConfig
