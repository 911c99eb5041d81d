"""The answer to each claim of a study: a verdict, and why.

A claim is a contrast between arms that was written down before they ran. Its effect is computed within each seed, and
decided by the signed-rank test with the interval that is its inversion. The claims of a study share its error rate
(Bonferroni), and the looks at a claim share what it has of that. A claim with a control holds if its effect does *and*
exceeds the control's; that one is significant and the other is not proves nothing (Gelman & Stern 2006).

A seed in which an arm collapsed is no measurement of what the arms are worth once they learn. It is left out of the
effect and counted beside it, and a verdict that the collapsed seeds speak against is withheld. So is one that the seeds
that failed could have overturned.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from reid_search.records import Claim, Status, StudyState, TrialId
from reid_search.study.metrics import METRICS, shown_beside
from reid_search.words import several

from ..reading.arms import is_redrawn, of_test
from ..reading.comparability import differences, is_within_protocols, protocols_of
from ..reading.measures import is_single_shot
from ..statistics import verdict
from ..statistics.effect import Floats, mean_effect
from ..statistics.signed_rank import RankEffect, rank_effect
from .claim_answer import NOT_MEASURED, NOT_YET, REFUSED, ClaimAnswer
from .collapse import collapsed_seeds, flags, seed_counts, why_no_effect, with_collapse
from .family import Family, family_of
from .over_people import OverPeople, claim_over_people, query_tables

CAPACITY = ("parameters", "macs")

_ENDED = ("collapsed", "failed", "lost", "rate", "flag")
_COMING = (Status.WAITING, Status.RUNNING, Status.STOPPED)


def answer_claims(state: StudyState, arms: pd.DataFrame, family: Family | None = None) -> list[ClaimAnswer]:
    """Answer every claim of a study from the table of `load_arms`; `family` is read from the store if omitted."""
    family = family or family_of(state.store, state.history)
    arms = with_collapse(arms) if state.claims else arms
    return [_answered(claim, state, arms, family) for claim in state.claims]


def _answered(claim: Claim, state: StudyState, arms: pd.DataFrame, family: Family) -> ClaimAnswer:
    past = family.past(claim.name)
    asked = ClaimAnswer(claim, claim.metric, family=max(family.size, 1), past=past, level=past.level)
    if claim.missing:
        why = f"no phase has an arm with {' or with '.join(claim.missing)}"
        return replace(asked, verdict=NOT_MEASURED, because=why)
    if claim.phase is None:
        return replace(asked, verdict=NOT_YET, because="its phase has not begun")
    rows = arms[(arms["phase"] == claim.phase) & (arms["readout"] == claim.readout)]
    rows = rows[rows["arm"].isin(claim.arms)].drop_duplicates(["arm", "seed"], keep="last")
    if rows.empty:
        why = f"its arms have no readout '{claim.content['readout']}'"
        return replace(asked, verdict=NOT_MEASURED, because=why)
    return _measured(asked, state, of_test(rows, state, claim.test) if claim.test else rows)


def _measured(asked: ClaimAnswer, state: StudyState, rows: pd.DataFrame) -> ClaimAnswer:
    """Return the answer from the rows of a claim's arms."""
    claim, split = asked.claim, str(rows["evaluate"].iloc[0])
    metric, beside = f"{split}/{claim.metric}", shown_beside(single_shot=is_single_shot(rows, split))
    protocols = tuple(dict.fromkeys(item for found in protocols_of(rows).values() for item in found))
    table = _table(claim, rows, _values_by_seed(rows, metric))
    answer = replace(
        asked,
        metric=metric,
        beforehand=_is_beforehand(claim, state, rows),
        arms=table,
        beside=beside,
        protocols=protocols,
    )
    if unlike := _unlike(claim, rows):  # no difference is shown of what is not compared
        return replace(answer, verdict=unlike[0], because=unlike[1])
    found = _Effects(claim, rows, metric, asked.level)
    not_decided = _coming(table) or _unlearnt(claim, rows) or _unknown(metric, rows)
    said, because = not_decided or found.verdict()
    return replace(
        answer,
        verdict=said,
        because=because or found.effect.note,
        effect=found.effect,
        control=found.control,
        excess=found.excess,
        with_collapsed=found.with_collapsed,
        rank1_delta=mean_effect(_weighted(_values_by_seed(rows, f"{split}/{beside.name}"), claim.effect)).delta,
        people=OverPeople() if not_decided else found.over_people(state, rows, said),
    )


class _Effects:
    """The effect of a claim, that of its control and their difference, over seeds."""

    def __init__(self, claim: Claim, rows: pd.DataFrame, metric: str, level: float) -> None:
        sign = METRICS[claim.metric].sign
        rows = rows[rows["seed"].isin(_seeds_of_all(rows))]
        values = sign * _values_by_seed(rows, metric)
        learnt = values.where(~_collapsed_by_seed(rows))
        self._claim, self._level = claim, level
        self._all = {name: _weighted(values, weights) for name, weights in _parts(claim).items()}
        self._effects = {name: _weighted(learnt, weights) for name, weights in _parts(claim).items()}
        self._failed = ~np.isfinite(values.to_numpy()).all(axis=1)
        self._learnt = set(values.index[np.isfinite(sum(self._effects.values()))])
        self.effect, self.control, self.excess = self._with({})

    @property
    def with_collapsed(self) -> float:
        """The mean effect with the seeds that collapsed; NaN if none did."""
        all_seeds, learnt = self._all["effect"], self._effects["effect"]
        finished = np.isfinite(all_seeds)
        return float(all_seeds[finished].mean()) if (finished & ~np.isfinite(learnt)).any() else math.nan

    def verdict(self) -> tuple[str, str]:
        """Return the verdict and, if it is withheld, the reason."""
        found = self._verdict(self.effect, self.control, self.excess)
        if found == verdict.NO_VERDICT:
            learnt, finished = self.effect.n, int(np.isfinite(self._all["effect"]).sum())
            collapsed = f"an arm collapsed in {finished - learnt} of {several(finished, 'seed')}"
            return found, collapsed if learnt < finished else ""
        if found in (verdict.SUPPORTED, verdict.CONTRADICTED) and self.with_collapsed * self.effect.delta < 0:
            why = "the mean over all seeds, with those that collapsed, points the other way"
            return verdict.NO_VERDICT, why
        overturned = self._overturned(found)
        return (verdict.NO_VERDICT if overturned else found), overturned

    def over_people(self, state: StudyState, rows: pd.DataFrame, found: str) -> OverPeople:
        """Return what a verdict says of other people, over the seeds in which no arm collapsed."""
        if is_redrawn(rows):
            return OverPeople(redrawn=True)
        tables = query_tables(state, rows, self._claim.arms, self._claim.metric)
        return claim_over_people(self._claim, tables, self._level, self._learnt, found)

    def _overturned(self, found: str) -> str:
        """Say what the failed seeds could have changed; empty if nothing."""
        count = int(self._failed.sum())
        if not count or found == verdict.UNDECIDED:
            return ""
        worst = {name: sum(map(abs, weights.values())) / 2 for name, weights in _parts(self._claim).items()}
        others = [
            {"effect": worst["effect"] * one, **({"control": worst["control"] * two} if "control" in worst else {})}
            for one in (-1, 1)
            for two in (-1, 1)
        ]
        verdicts = [self._verdict(*self._with(other)) for other in others]
        changed = next((item for item in verdicts if item != found), None)
        if changed is None:
            return ""
        return f"{several(count, 'seed')} failed; it could be {changed} had they been measured, and is {found} without"

    def _verdict(self, effect: RankEffect, control: RankEffect | None, excess: RankEffect | None) -> str:
        claim = self._claim
        return verdict.of_claim(effect, claim.smallest_effect, control, excess, claim.vanishes_within)

    def _with(self, instead: Mapping[str, float]) -> tuple[RankEffect, RankEffect | None, RankEffect | None]:
        """Return effect, control and excess, with a value for each seed that failed."""
        filled = {
            name: np.where(self._failed, instead[name], values) if name in instead else values
            for name, values in self._effects.items()
        }
        effect = rank_effect(filled["effect"], self._level)
        if "control" not in filled:
            return effect, None, None
        excess = rank_effect(filled["effect"] - filled["control"], self._level)
        return effect, rank_effect(filled["control"], self._level), excess


def _seeds_of_all(rows: pd.DataFrame) -> set[int]:
    """Return the seeds that were asked of every arm; others came for other claims."""
    return set.intersection(*(set(own["seed"]) for _, own in rows.groupby("arm")))


def _parts(claim: Claim) -> dict[str, Mapping[str, float]]:
    return {"effect": claim.effect, "control": claim.control} if claim.control else {"effect": claim.effect}


def _values_by_seed(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    measured = rows.reindex(columns=[metric])[metric].astype("float64")  # no column where no trial measured it
    values = measured.where(rows["status"] == Status.FINISHED)
    return rows.assign(value=values).pivot(index="seed", columns="arm", values="value")


def _collapsed_by_seed(rows: pd.DataFrame) -> pd.DataFrame:
    collapsed = rows.assign(collapsed=collapsed_seeds(rows) != "")
    return collapsed.pivot(index="seed", columns="arm", values="collapsed").astype(bool)


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
