"""Settings of the attribute loss; no torch."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from reid_search.losses.checks import check_shape
from reid_search.study import LossConfig, TapSpec
from reid_search.study.trial.side_cars import ATTRIBUTES, SideCar
from reid_search.study.trial.taps import VECTORS, Scope

LOGITS = sum(ATTRIBUTES.values())
"""Values of a tap of scope `attribute`: one logit for each value of each attribute, in the order of `ATTRIBUTES`."""


class AttributesConfig(LossConfig):
    """Softmax cross-entropy of each attribute, averaged over the 27 (Lin et al. 2019, equations 3 and 4).

    On a feature it has a linear classifier for each attribute. The 56 values of a tap of scope `attribute` already are
    the logits, one for each value of each attribute.
    """

    kind: Literal["attributes"]
    scopes: ClassVar[frozenset[Scope]] = VECTORS | {Scope.ATTRIBUTE}

    @property
    def needs(self) -> frozenset[SideCar]:
        """Attributes."""
        return frozenset({"attributes"})

    def check_taps(self, taps: Sequence[TapSpec]) -> None:
        """Raise a StudyError if a tap of scope `attribute` does not hold one logit for each attribute value."""
        for tap in taps:
            if tap.scope is Scope.ATTRIBUTE:
                check_shape(self.kind, tap, LOGITS, 1, f"logits, one a value of the {len(ATTRIBUTES)} attributes")


CONFIG = AttributesConfig
