"""What the trials say about a claim."""

import math
from dataclasses import dataclass, field

import pandas as pd

from reid_search.records import Claim
from reid_search.study.metrics import BESIDE, METRICS, Metric
from reid_search.study.question.deciding import LEVEL, seeds_for

from ..statistics import verdict
from ..statistics.effect import opposed
from ..statistics.power import seeds_needed
from ..statistics.signed_rank import RankEffect
from .family import Past
from .over_people import OverPeople

NOT_YET, NOT_MEASURED, REFUSED = "not yet", "not measured", "refused"
VERDICTS = (*verdict.CLAIM_VERDICTS, verdict.NO_VERDICT, NOT_YET, NOT_MEASURED, REFUSED)

_EFFICIENCY = 3 / math.pi  # of the signed-rank test beside the t test, for normal effects (Hodges & Lehmann 1956)
_NOTHING = RankEffect(0)


@dataclass(frozen=True)
class ClaimAnswer:
    """What the trials say about a claim.

    Attributes:
        claim: The claim.
        metric: Column that decides it, such as `test/mAP`.
        verdict: One of `VERDICTS`.
        because: The reason, if the numbers alone do not give it.
        effect: The effect that the claim is about, positive in the claimed direction, over the seeds in which no arm
            collapsed.
        control: The effect under the control's settings; None without a control.
        excess: The effect less the control's; None without a control.
        with_collapsed: The mean effect over all finished seeds; NaN if none collapsed.
        beforehand: Whether the claim was written down before any of its trainings ended.
        beside: The metric that is shown beside, Rank-1 unless random galleries are searched.
        rank1_delta: The same effect on it; NaN if it was not measured.
        people: What it says of other people; nothing if the claim is not decided.
        protocols: Fingerprints of the protocols under which its arms were measured.
        arms: One row per arm: `arm`, `weight`, `control_weight`, `asked`, `n`, `mean`, `sd`, `parameters`, `macs`,
            `collapsed`, `failed`, `lost` (seeds), `rate` (of lost seeds, as text), `flag` (if no seed learnt anything),
            `coming` (trainings that run or wait).
        family: Number of claims that share the error rate: those that were ever made in the store and measured.
        level: What this claim may spend of it at this look.
        past: What was done about it before.
    """

    claim: Claim
    metric: str
    verdict: str = ""
    because: str = ""
    effect: RankEffect = _NOTHING
    control: RankEffect | None = None
    excess: RankEffect | None = None
    with_collapsed: float = math.nan
    beforehand: bool = True
    beside: Metric = METRICS[BESIDE]
    rank1_delta: float = math.nan
    people: OverPeople = field(default_factory=OverPeople)
    protocols: tuple[str, ...] = ()
    arms: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    family: int = 1
    level: float = LEVEL
    past: Past = field(default_factory=Past)

    @property
    def is_decided_by_numbers(self) -> bool:
        """Whether its effect has a verdict."""
        return self.verdict in verdict.CLAIM_VERDICTS

    @property
    def looks(self) -> int:
        """How often a decision could be seen."""
        return self.past.looks

    @property
    def p(self) -> float:
        """The two-sided p that decides: the larger of the effect's and the excess's."""
        effects = (self.effect,) if self.excess is None else (self.effect, self.excess)
        return verdict.larger_p(*(effect.p for effect in effects))

    @property
    def p_adjusted(self) -> float:
        """`p` as it compares with .05, now that family and looks have been paid for; at most 1."""
        return self.p if math.isnan(self.p) else min(1.0, self.p * LEVEL / self.level)

    @property
    def deciding(self) -> RankEffect:
        """The excess over the control if there is one, else the effect."""
        return self.excess or self.effect

    @property
    def disagrees(self) -> bool:
        """Whether Rank-1 moves the other way."""
        return bool(opposed(self.effect.delta, self.rank1_delta))

    def seeds_needed(self, effect: float | None = None) -> float:
        """Return how many seeds find a true effect (by default the observed one) with probability about .8.

        At one look, with normal effects; never fewer than could decide the claim at this look.
        """
        wanted = self.deciding.delta if effect is None else effect
        found = seeds_needed(wanted, self.deciding.sd, self.past.budget) / _EFFICIENCY
        return max(math.ceil(found), seeds_for(self.level)) if math.isfinite(found) else found
