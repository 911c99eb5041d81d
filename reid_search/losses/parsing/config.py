"""Settings of the parsing loss; no torch."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from reid_search.losses.checks import check_shape
from reid_search.study import LossConfig, TapSpec
from reid_search.study.trial.side_cars import PARTS, SideCar
from reid_search.study.trial.taps import Scope


class ParsingConfig(LossConfig):
    """Cross-entropy at each place of a map between the tap's logits and the part maps, averaged over places.

    The tap holds logits of background, head, upper body, lower body and shoes, in this order.
    """

    kind: Literal["parsing"]
    scopes: ClassVar[frozenset[Scope]] = frozenset({Scope.MAP})
    of_identities: ClassVar[bool] = False

    @property
    def needs(self) -> frozenset[SideCar]:
        """Part maps."""
        return frozenset({"maps"})

    def check_taps(self, taps: Sequence[TapSpec]) -> None:
        """Raise a StudyError if a tap is not a map of five channels."""
        for tap in taps:
            check_shape(self.kind, tap, 1 + len(PARTS), 3, f"channels, background, {', '.join(PARTS)}")


CONFIG = ParsingConfig
