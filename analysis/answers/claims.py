"""The answer to each claim of a study: supported, contradicted or inconclusive, and why.

A claim is a contrast between arms that was written down before they ran. Its effect is computed within each seed. The
claims of a study are one family (Holm), which counts also those without a p yet. A claim with a control holds where its
effect does *and* exceeds the control's: that one is significant and the other is not would say nothing (Gelman & Stern
2006).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from reid_search.records import Claim, StudyState, TrialId
from reid_search.study.metrics import BESIDE, METRICS

from ..reading.comparability import differences, is_within_protocols, protocols_of
from ..statistics import verdict
from ..statistics.bootstrap import QueryInterval
from ..statistics.effect import LEVEL, Effect, mean_effect
from ..statistics.family import holm
from ..statistics.power import seeds_needed
from ..statistics.sequential import guarded
from .over_queries import over_queries, query_tables

Floats = npt.NDArray[np.float64]

NOT_YET, NOT_MEASURED, REFUSED = "not yet", "not measured", "refused"
VERDICTS = (
    verdict.SUPPORTED, verdict.CONTRADICTED, verdict.INCONCLUSIVE, verdict.NO_VERDICT, NOT_YET, NOT_MEASURED, REFUSED,
)  # fmt: skip

CAPACITY = ("parameters", "macs")

_NOTHING, _NO_QUERIES = Effect(0), QueryInterval(0, 0)
_COMING = ("waiting", "running", "stopped")


@dataclass(frozen=True)
class ClaimAnswer:
    """What the trials say about a claim.

    Attributes:
        claim: The claim.
        metric: Column that decides it, such as `test/mAP`.
        verdict: One of `VERDICTS`.
        because: The reason, where the numbers alone do not give it.
        effect: The effect that the claim is about, positive in the claimed direction.
        control: The effect under the control's settings; None without a control.
        excess: The effect less the control's; None without a control.
        control_verdict: `vanishes`, `persists`, `reverses`, `open` or `no verdict`; empty without a control.
        p: The p that decides: of the effect, or the larger of effect's and excess's; times the number of looks.
        p_holm: The same, adjusted over the claims of the study.
        family: Number of claims that Holm's method counts.
        looks: How often the number of seeds was decided.
        beforehand: Whether the claim was written down before any of its trainings ended.
        rank1_delta: The same effect on Rank-1; NaN where it was not measured.
        queries_low: Lower end of the effect's interval over identities, given the seeds; NaN where the claim is not
            decided, its arms do not share one protocol or the results of the queries are not there.
        queries_high: Upper end.
        protocols: Fingerprints of the protocols under which its arms were measured.
        arms: One row an arm: `arm`, `weight`, `control_weight`, `asked`, `n`, `mean`, `sd`, `parameters`, `macs`,
            `coming` (trainings that run or wait).
    """

    claim: Claim
    metric: str
    verdict: str
    because: str = ""
    effect: Effect = _NOTHING
    control: Effect | None = None
    excess: Effect | None = None
    control_verdict: str = ""
    p: float = math.nan
    p_holm: float = math.nan
    family: int = 0
    looks: int = 1
    beforehand: bool = True
    rank1_delta: float = math.nan
    queries_low: float = math.nan
    queries_high: float = math.nan
    protocols: tuple[str, ...] = ()
    arms: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)

    @property
    def deciding(self) -> Effect:
        """The effect of which more is asked: the excess over the control where there is one."""
        return self.excess or self.effect

    @property
    def disagrees(self) -> bool:
        """Whether Rank-1 moves the other way."""
        return bool(self.effect.delta * self.rank1_delta < 0)

    def seeds_needed(self, effect: float | None = None) -> float:
        """Return how many seeds find an effect with probability .8, at the level that the family leaves for one claim.

        Args:
            effect: The true effect, in the metric's unit; the observed one where omitted.
        """
        wanted = self.deciding.delta if effect is None else effect
        return seeds_needed(wanted, self.deciding.sd, LEVEL / max(self.family * self.looks, 1))


@dataclass(frozen=True)
class _Measured:
    """A claim with its effects, before the family is known."""

    claim: Claim
    metric: str
    looks: int = 1
    beforehand: bool = True
    arms: pd.DataFrame = field(default_factory=pd.DataFrame)
    effect: Effect = _NOTHING
    control: Effect | None = None
    excess: Effect | None = None
    rank1_delta: float = math.nan
    queries: QueryInterval = _NO_QUERIES
    protocols: tuple[str, ...] = ()
    not_decided: tuple[str, str] | None = None

    @property
    def is_decided(self) -> bool:
        """Whether it has a p that may count; a claim without one stays in the family as if its p were 1."""
        return self.not_decided is None and not math.isnan(self.p)

    @property
    def p(self) -> float:
        """The p that decides, which has paid for every look."""
        p = verdict.larger_p(*(effect.p for effect in (self.effect, self.excess) if effect is not None))
        return guarded(p, self.looks)


def answer_claims(state: StudyState, arms: pd.DataFrame) -> list[ClaimAnswer]:
    """Answer every claim of a study.

    Args:
        state: The study as it stands.
        arms: The table of `load_arms`.
    """
    measured = [_measured(claim, state, arms) for claim in state.claims]
    adjusted = holm([item.p if item.is_decided else 1.0 for item in measured])
    return [_answer(item, p_holm, len(measured)) for item, p_holm in zip(measured, adjusted, strict=True)]


def _measured(claim: Claim, state: StudyState, arms: pd.DataFrame) -> _Measured:
    metric = claim.metric
    if claim.missing:
        return _Measured(claim, metric, not_decided=(NOT_MEASURED, f"no phase has {'; '.join(claim.missing)}"))
    if claim.phase is None:
        return _Measured(claim, metric, not_decided=(NOT_YET, "its phase has not begun"))
    rows = arms[(arms["phase"] == claim.phase) & (arms["readout"] == claim.readout)]
    rows = rows[rows["arm"].isin(claim.arms)].drop_duplicates(["arm", "seed"], keep="last")
    if rows.empty:
        because = f"its arms have no readout '{claim.content['readout']}'"
        return _Measured(claim, metric, not_decided=(NOT_MEASURED, because))
    split, sign = rows["evaluate"].iloc[0], METRICS[metric].sign
    metric = f"{split}/{metric}"
    values = _values_by_seed(rows, metric)
    effects = {name: _weighted(sign * values, weights) for name, weights in _parts(claim).items()}
    found = {name: mean_effect(effect) for name, effect in effects.items()}
    excess = mean_effect(effects["effect"] - effects["control"]) if "control" in effects else None
    table = _table(claim, rows, values)
    protocols = tuple(dict.fromkeys(item for found in protocols_of(rows).values() for item in found))
    not_decided = _unlike(claim, rows) or _coming(table) or _unknown(metric, rows)
    return _Measured(
        claim,
        metric,
        looks=state.history.looks(claim.phase),
        beforehand=_is_beforehand(claim, state, rows),
        arms=table,
        effect=found["effect"],
        control=found.get("control"),
        excess=excess,
        rank1_delta=mean_effect(_weighted(_values_by_seed(rows, f"{split}/{BESIDE}"), claim.effect)).delta,
        queries=_NO_QUERIES if not_decided or len(protocols) != 1 else _over_queries(claim, state, rows),
        protocols=protocols,
        not_decided=not_decided,
    )


def _over_queries(claim: Claim, state: StudyState, rows: pd.DataFrame) -> QueryInterval:
    """Return the effect with its interval over identities, of arms that were asked the same queries."""
    weights = {arm: METRICS[claim.metric].sign * weight for arm, weight in claim.effect.items()}
    return over_queries(query_tables(state, rows, claim.effect, claim.metric), weights)


def _parts(claim: Claim) -> dict[str, Mapping[str, float]]:
    return {"effect": claim.effect, "control": claim.control} if claim.control else {"effect": claim.effect}


def _values_by_seed(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    values = rows[metric].astype("float64").where(rows["status"] == "finished")
    return rows.assign(value=values).pivot(index="seed", columns="arm", values="value")


def _weighted(values: pd.DataFrame, weights: Mapping[str, float]) -> Floats:
    """Return the effect of each seed, NaN where an arm is not finished."""
    columns = values.reindex(columns=list(weights)).to_numpy()
    return np.asarray(columns @ np.asarray(list(weights.values())), dtype=np.float64)


def _table(claim: Claim, rows: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    by_arm = rows.groupby("arm", sort=False)
    arms = [arm for arm in claim.arms if arm in values.columns]
    return pd.DataFrame({
        "arm": arms,
        "weight": [claim.effect.get(arm, 0.0) for arm in arms],
        "control_weight": [claim.control.get(arm, 0.0) for arm in arms],
        "asked": [len(by_arm.get_group(arm)) for arm in arms],
        "n": [int(values[arm].notna().sum()) for arm in arms],
        "mean": [values[arm].mean() for arm in arms],
        "sd": [values[arm].std(ddof=1) for arm in arms],
        **{name: [by_arm.get_group(arm)[name].astype("float64").mean() for arm in arms] for name in CAPACITY},
        "coming": [int(by_arm.get_group(arm)["status"].isin(_COMING).sum()) for arm in arms],
    })  # fmt: skip


def _is_beforehand(claim: Claim, state: StudyState, rows: pd.DataFrame) -> bool:
    identities = {TrialId(str(key), int(seed)) for key, seed in zip(rows["key"], rows["seed"], strict=True)}
    records = [state.trials[identity].record for identity in identities if identity in state.trials]
    return all(claim.since[:19] <= record.context.ended[:19] for record in records if record)


def _unlike(claim: Claim, rows: pd.DataFrame) -> tuple[str, str] | None:
    """Refuse a comparison between arms under different protocols: each protocol's weights must cancel."""
    protocols = protocols_of(rows)
    for weights in _parts(claim).values():
        if set(weights) <= set(protocols) and not is_within_protocols(weights, protocols):
            unlike = differences(rows[rows["arm"].isin(list(weights))], next(iter(weights)))
            return REFUSED, f"it compares numbers under different protocols: {'; '.join(map(str, unlike))}"
    return None


def _coming(table: pd.DataFrame) -> tuple[str, str] | None:
    left, asked = int(table["coming"].sum()), int(table["asked"].sum())
    if not left:
        return None
    return NOT_YET, f"{left} of {asked} trainings are still to come; a look before the end decides nothing"


def _unknown(metric: str, rows: pd.DataFrame) -> tuple[str, str] | None:
    """Say that trainings of an earlier release did not measure a metric that it did not know."""
    finished = rows[rows["status"] == "finished"]
    if finished.empty or finished[metric].notna().any():
        return None
    return NOT_MEASURED, f"its trainings are of an earlier release, which did not measure {metric}"


def _answer(item: _Measured, p_holm: float, family: int) -> ClaimAnswer:
    smallest = item.claim.smallest_effect
    found, because = item.not_decided or (_verdict(item, p_holm), "")
    return ClaimAnswer(
        claim=item.claim,
        metric=item.metric,
        verdict=found,
        because=because or item.effect.note,
        effect=item.effect,
        control=item.control,
        excess=item.excess,
        control_verdict=verdict.of_control(item.control, smallest) if item.control else "",
        p=item.p,
        p_holm=p_holm if item.is_decided else math.nan,
        family=family,
        looks=item.looks,
        beforehand=item.beforehand,
        rank1_delta=item.rank1_delta,
        queries_low=item.queries.low,
        queries_high=item.queries.high,
        protocols=item.protocols,
        arms=item.arms,
    )


def _verdict(item: _Measured, p_holm: float) -> str:
    """Return the weakest verdict of the effect and of what it exceeds its control by."""
    effects = [effect for effect in (item.effect, item.excess) if effect is not None]
    found = [verdict.of_claim(effect, p_holm, item.claim.smallest_effect) for effect in effects]
    order = (verdict.NO_VERDICT, verdict.CONTRADICTED, verdict.INCONCLUSIVE, verdict.SUPPORTED)
    return min(found, key=order.index)
