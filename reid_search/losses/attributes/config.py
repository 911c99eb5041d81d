"""Settings of the attribute loss; no torch."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from reid_search.losses.checks import check_shape
from reid_search.study import LossConfig, TapSpec
from reid_search.study.trial.side_cars import ATTRIBUTE_SETS, AttributeSet, SideCar, logits_of
from reid_search.study.trial.taps import VECTORS, Scope


class AttributesConfig(LossConfig):
    """Softmax cross-entropy of each attribute, averaged over all of a set (Lin et al. 2019, equations 3 and 4).

    On a feature it has a linear classifier for each attribute. The values of a tap of scope `attribute` already are the
    logits, one for each value of each attribute: 56 of Market-1501's 27, 46 of DukeMTMC-reID's 23.

    Attributes:
        attribute_set: The attributes, those of Market-1501 or of DukeMTMC-reID. Where the data know only some of them,
            the others are left out of the mean.
    """

    written_if_set: ClassVar[tuple[str, ...]] = ("attribute_set",)
    kind: Literal["attributes"]
    attribute_set: AttributeSet = "market"
    scopes: ClassVar[frozenset[Scope]] = VECTORS | {Scope.ATTRIBUTE}

    @property
    def needs(self) -> frozenset[SideCar]:
        """Attributes."""
        return frozenset({"attributes"})

    def check_taps(self, taps: Sequence[TapSpec]) -> None:
        """Raise a StudyError if a tap of scope `attribute` does not hold one logit for each attribute value."""
        count = len(ATTRIBUTE_SETS[self.attribute_set])
        what = f"logits, one a value of the {count} attributes of attribute_set {self.attribute_set}"
        for tap in taps:
            if tap.scope is Scope.ATTRIBUTE:
                check_shape(self.kind, tap, logits_of(self.attribute_set), 1, what)


CONFIG = AttributesConfig
