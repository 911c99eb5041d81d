"""The answer to each claim of a study: supported, contradicted or inconclusive, and why.

A claim is a contrast between arms that was written down before they ran. Its effect is computed within each seed. The
claims of a study are one family (Holm), including those without a p yet. A claim with a control holds if its effect
does *and* exceeds the control's; that one is significant and the other is not proves nothing (Gelman & Stern 2006).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from reid_search.records import Claim, Status, StudyState, TrialId
from reid_search.study.metrics import BESIDE, METRICS, Metric, shown_beside

from ..reading.arms import of_test
from ..reading.comparability import differences, is_within_protocols, protocols_of
from ..reading.measures import is_single_shot
from ..statistics import verdict
from ..statistics.bootstrap import QueryInterval
from ..statistics.effect import LEVEL, Effect, Floats, mean_effect, opposed
from ..statistics.family import holm
from ..statistics.power import seeds_needed
from ..statistics.sequential import guarded
from .collapse import flags, seed_counts, why_no_effect
from .family import Family, Past, family_of
from .over_queries import over_queries, query_tables

NOT_YET, NOT_MEASURED, REFUSED = "not yet", "not measured", "refused"
VERDICTS = (
    verdict.SUPPORTED, verdict.CONTRADICTED, verdict.INCONCLUSIVE, verdict.NO_VERDICT, NOT_YET, NOT_MEASURED, REFUSED,
)  # fmt: skip

CAPACITY = ("parameters", "macs")

_ENDED = ("collapsed", "failed", "lost", "rate", "flag")
_NOTHING, _NO_QUERIES = Effect(0), QueryInterval(0, 0)
_COMING = (Status.WAITING, Status.RUNNING, Status.STOPPED)


@dataclass(frozen=True)
class ClaimAnswer:
    """What the trials say about a claim.

    Attributes:
        claim: The claim.
        metric: Column that decides it, such as `test/mAP`.
        verdict: One of `VERDICTS`.
        because: The reason, if the numbers alone do not give it.
        effect: The effect that the claim is about, positive in the claimed direction.
        control: The effect under the control's settings; None without a control.
        excess: The effect less the control's; None without a control.
        beforehand: Whether the claim was written down before any of its trainings ended.
        beside: The metric that is shown beside, Rank-1 unless random galleries are searched.
        rank1_delta: The same effect on it; NaN if it was not measured.
        queries: The effect over queries with its interval over identities, given the seeds; NaN if the claim is not
            decided, its arms do not share one protocol, or results of queries are missing.
        protocols: Fingerprints of the protocols under which its arms were measured.
        arms: One row per arm: `arm`, `weight`, `control_weight`, `asked`, `n`, `mean`, `sd`, `parameters`, `macs`,
            `collapsed`, `failed`, `lost` (seeds), `rate` (of lost seeds, as text), `flag` (if no seed learnt anything),
            `coming` (trainings that run or wait).
        family: Number of claims that Holm's method counts: those that were ever made in the store and measured.
        past: What was done about it before.
        p_holm: `p` adjusted over the claims of the study.
    """

    claim: Claim
    metric: str
    verdict: str = ""
    because: str = ""
    effect: Effect = _NOTHING
    control: Effect | None = None
    excess: Effect | None = None
    beforehand: bool = True
    beside: Metric = METRICS[BESIDE]
    rank1_delta: float = math.nan
    queries: QueryInterval = _NO_QUERIES
    protocols: tuple[str, ...] = ()
    arms: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    family: int = 0
    past: Past = field(default_factory=Past)
    p_holm: float = math.nan

    @property
    def looks(self) -> int:
        """How often a decision could be seen."""
        return self.past.looks

    @property
    def p(self) -> float:
        """The p that decides: the larger of the effect's and the excess's, times the number of looks."""
        effects = (self.effect,) if self.excess is None else (self.effect, self.excess)
        return guarded(verdict.larger_p(*(effect.p for effect in effects)), self.looks)

    @property
    def control_verdict(self) -> str:
        """`vanishes`, `persists`, `reverses`, `open` or `no verdict`; empty without a control."""
        return verdict.of_control(self.control, self.claim.smallest_effect) if self.control else ""

    @property
    def deciding(self) -> Effect:
        """The excess over the control if there is one, else the effect."""
        return self.excess or self.effect

    @property
    def disagrees(self) -> bool:
        """Whether Rank-1 moves the other way."""
        return bool(opposed(self.effect.delta, self.rank1_delta))

    def seeds_needed(self, effect: float | None = None) -> float:
        """Return how many seeds find a true effect (by default the observed one) with probability .8.

        The level is that of one claim of the family, in the metric's unit.
        """
        wanted = self.deciding.delta if effect is None else effect
        return seeds_needed(wanted, self.deciding.sd, LEVEL / max(self.family * self.looks, 1))


def answer_claims(state: StudyState, arms: pd.DataFrame, family: Family | None = None) -> list[ClaimAnswer]:
    """Answer every claim of a study from the table of `load_arms`; `family` is read from the store if omitted."""
    family = family or family_of(state.store, state.history)
    found = [(claim.name, _measured(claim, state, arms)) for claim in state.claims]
    measured = [replace(answer, past=family.past(name)) for name, answer in found]
    # A claim without a p that may count stays in the family, as if its p were 1; so does one that was withdrawn.
    known = [1.0 if item.verdict or math.isnan(item.p) else item.p for item in measured]
    adjusted = holm([*known, *[1.0] * len(family.left_behind)])[: len(measured)]
    return [_judged(item, p_holm, family.size) for item, p_holm in zip(measured, adjusted, strict=True)]


def _measured(claim: Claim, state: StudyState, arms: pd.DataFrame) -> ClaimAnswer:
    """Return a claim with its effects; the verdict stays empty if it depends on the other claims."""
    metric = claim.metric
    if claim.missing:
        return ClaimAnswer(claim, metric, NOT_MEASURED, f"no phase has an arm with {' or with '.join(claim.missing)}")
    if claim.phase is None:
        return ClaimAnswer(claim, metric, NOT_YET, "its phase has not begun")
    rows = arms[(arms["phase"] == claim.phase) & (arms["readout"] == claim.readout)]
    rows = rows[rows["arm"].isin(claim.arms)].drop_duplicates(["arm", "seed"], keep="last")
    if rows.empty:
        return ClaimAnswer(claim, metric, NOT_MEASURED, f"its arms have no readout '{claim.content['readout']}'")
    rows = of_test(rows, state, claim.test) if claim.test else rows
    split, sign = rows["evaluate"].iloc[0], METRICS[metric].sign
    metric = f"{split}/{metric}"
    values = _values_by_seed(rows, metric)
    effects = {name: _weighted(sign * values, weights) for name, weights in _parts(claim).items()}
    found = {name: mean_effect(effect) for name, effect in effects.items()}
    excess = mean_effect(effects["effect"] - effects["control"]) if "control" in effects else None
    table = _table(claim, rows, values)
    beside = shown_beside(single_shot=is_single_shot(rows, str(split)))
    protocols = tuple(dict.fromkeys(item for found in protocols_of(rows).values() for item in found))
    beforehand = _is_beforehand(claim, state, rows)
    if unlike := _unlike(claim, rows):  # no difference is shown of what is not compared
        return ClaimAnswer(
            claim,
            metric,
            *unlike,
            beforehand=beforehand,
            arms=table,
            beside=beside,
            protocols=protocols,
        )
    not_decided = _coming(table) or _unlearnt(claim, rows) or _unknown(metric, rows)
    found_verdict, because = not_decided or ("", "")
    return ClaimAnswer(
        claim,
        metric,
        found_verdict,
        because,
        beforehand=beforehand,
        arms=table,
        effect=found["effect"],
        control=found.get("control"),
        excess=excess,
        beside=beside,
        rank1_delta=mean_effect(_weighted(_values_by_seed(rows, f"{split}/{beside.name}"), claim.effect)).delta,
        queries=_NO_QUERIES if not_decided or len(protocols) != 1 else _over_queries(claim, state, rows),
        protocols=protocols,
    )


def _over_queries(claim: Claim, state: StudyState, rows: pd.DataFrame) -> QueryInterval:
    """Return the effect with its interval over identities, for arms that were tested on the same queries."""
    weights = {arm: METRICS[claim.metric].sign * weight for arm, weight in claim.effect.items()}
    return over_queries(query_tables(state, rows, claim.effect, claim.metric), weights)


def _parts(claim: Claim) -> dict[str, Mapping[str, float]]:
    return {"effect": claim.effect, "control": claim.control} if claim.control else {"effect": claim.effect}


def _values_by_seed(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    measured = rows.reindex(columns=[metric])[metric].astype("float64")  # no column where no trial measured it
    values = measured.where(rows["status"] == Status.FINISHED)
    return rows.assign(value=values).pivot(index="seed", columns="arm", values="value")


def _weighted(values: pd.DataFrame, weights: Mapping[str, float]) -> Floats:
    """Return the effect of each seed, NaN if an arm is not finished."""
    columns = values.reindex(columns=list(weights)).to_numpy()
    return np.asarray(columns @ np.asarray(list(weights.values())), dtype=np.float64)


def _table(claim: Claim, rows: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    by_arm = rows.groupby("arm", sort=False)
    arms = [arm for arm in claim.arms if arm in values.columns]
    counts = seed_counts(rows)
    return pd.DataFrame({
        "arm": arms,
        "weight": [claim.effect.get(arm, 0.0) for arm in arms],
        "control_weight": [claim.control.get(arm, 0.0) for arm in arms],
        "asked": [len(by_arm.get_group(arm)) for arm in arms],
        "n": [int(values[arm].notna().sum()) for arm in arms],
        "mean": [values[arm].mean() for arm in arms],
        "sd": [values[arm].std(ddof=1) for arm in arms],
        **{name: [by_arm.get_group(arm)[name].astype("float64").mean() for arm in arms] for name in CAPACITY},
        **{name: [getattr(counts[arm], name) for arm in arms] for name in _ENDED},
        "coming": [int(by_arm.get_group(arm)["status"].isin(_COMING).sum()) for arm in arms],
    })  # fmt: skip


def _is_beforehand(claim: Claim, state: StudyState, rows: pd.DataFrame) -> bool:
    identities = {TrialId(str(key), int(seed)) for key, seed in zip(rows["key"], rows["seed"], strict=True)}
    records = [state.trials[identity].record for identity in identities if identity in state.trials]
    return all(claim.since[:19] <= record.context.ended[:19] for record in records if record)


def _unlike(claim: Claim, rows: pd.DataFrame) -> tuple[str, str] | None:
    """Refuse to compare arms under different protocols: each protocol's weights must cancel."""
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


def _unlearnt(claim: Claim, rows: pd.DataFrame) -> tuple[str, str] | None:
    """Refuse a verdict over an arm that learnt nothing: that the other one learns says nothing about their settings."""
    flagged = {arm: flag for arm, flag in flags(rows).items() if claim.effect.get(arm) or claim.control.get(arm)}
    return (verdict.NO_VERDICT, why_no_effect(flagged)) if flagged else None


def _unknown(metric: str, rows: pd.DataFrame) -> tuple[str, str] | None:
    """Say that no training measured a metric: its release did not know it, or its rule does not measure it."""
    finished = rows[rows["status"] == Status.FINISHED]
    if finished.empty or finished.reindex(columns=[metric])[metric].notna().any():
        return None
    if METRICS[metric.rpartition("/")[2]].single_shot:
        return NOT_MEASURED, f"the rule of its data set does not measure {metric}"
    return NOT_MEASURED, f"its trainings are of an earlier release, which did not measure {metric}"


def _judged(answer: ClaimAnswer, adjusted: float, family: int) -> ClaimAnswer:
    """Complete an answer, now that the size of the family and the adjusted p are known."""
    found = replace(answer, family=family, because=answer.because or answer.effect.note)
    if answer.verdict:
        return found
    p_holm = math.nan if math.isnan(answer.p) else adjusted
    return replace(found, verdict=_verdict(answer, p_holm), p_holm=p_holm)


def _verdict(answer: ClaimAnswer, p_holm: float) -> str:
    """Return the weaker of the verdicts on the effect and on the excess over its control."""
    effects = [effect for effect in (answer.effect, answer.excess) if effect is not None]
    found = [verdict.of_claim(effect, p_holm, answer.claim.smallest_effect) for effect in effects]
    order = (verdict.NO_VERDICT, verdict.CONTRADICTED, verdict.INCONCLUSIVE, verdict.SUPPORTED)
    return min(found, key=order.index)
