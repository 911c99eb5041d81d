"""Would other people say the same? Intervals over seeds and identities for the differences between arms.

Where every seed drew its own people, the interval over seeds is one over people too, and there is nothing to add. Where
all seeds were tested on the same people, the results of the queries say how far these people made a difference. Every
query's result is on disk, but reading it takes far longer than the rest of a report, so only the arms that are shown
have such an interval.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from reid_search.errors import RecordError
from reid_search.records import Claim, Status, StudyState
from reid_search.study.metrics import MAIN, METRICS

from ..reading.queries import per_query, weighted
from ..statistics import verdict
from ..statistics.crossed import CrossedEffect, crossed_effect
from ..statistics.effect import LEVEL, Floats

ARMS_READ = 60

_ROUNDING = 1e-9  # of weights such as thirds
_NOTHING = CrossedEffect(note="the results of the queries are not there")


@dataclass(frozen=True)
class OverPeople:
    """What a claim says of other people than those that it was tested on.

    Attributes:
        redrawn: Whether every seed drew its own people, so that the claim's own interval is about other people too.
        effect: If not, the effect with its interval over seeds and people.
        excess: The same for the excess over the control; None without a control.
        verdict: The verdict for other people: that of the claim if these intervals give it too, else `undecided`; empty
            if there are none.
    """

    redrawn: bool = False
    effect: CrossedEffect = field(default_factory=CrossedEffect)
    excess: CrossedEffect | None = None
    verdict: str = ""


def contrasts_over_people(
    state: StudyState, rows: pd.DataFrame, arms: Iterable[str], centre: str, metric: str = MAIN
) -> pd.DataFrame:
    """Return the 95 % interval over seeds and people of each arm's difference from a centre.

    The columns are `arm`, `people_low` and `people_high`. `rows` are those of `load_arms` of one phase, readout and
    protocol.
    """
    others = [arm for arm in arms if arm != centre]
    tables = query_tables(state, rows, [centre, *others] if others else [], metric)
    found = [over_people(tables, {arm: 1.0, centre: -1.0}, LEVEL) for arm in others]
    return pd.DataFrame({
        "arm": pd.Series(others, dtype="str"),
        "people_low": np.asarray([interval.low for interval in found], dtype=np.float64),
        "people_high": np.asarray([interval.high for interval in found], dtype=np.float64),
    })  # fmt: skip


def query_tables(
    state: StudyState, rows: pd.DataFrame, arms: Iterable[str], metric: str = MAIN
) -> dict[str, pd.DataFrame]:
    """Return the `per_query` table of each arm whose finished seeds can all be read; `rows` as in `per_query`."""
    found = {}
    for arm in dict.fromkeys(arms):
        finished = rows[(rows["arm"] == arm) & (rows["status"] == Status.FINISHED)]
        try:
            table = per_query(state, finished, metric)
        except RecordError:
            continue  # a difference of means does not need it
        if 0 < len(finished) == len(table.columns):
            found[arm] = table
    return found


def over_people(
    tables: Mapping[str, pd.DataFrame],
    weights: Mapping[str, float],
    level: float,
    seeds: Collection[int] | None = None,
) -> CrossedEffect:
    """Return the mean of a weighted sum of arms, with its interval over seeds and people.

    Arms may be tested on several data sets if the weights of each sum to 0: people of each are drawn apart. There is no
    interval if an arm has no table, or if seeds were tested on different people.

    Args:
        tables: Tables of `query_tables`.
        weights: Weight of each arm.
        level: 1 − coverage of the interval.
        seeds: The seeds that count; all that every arm has if omitted.
    """
    if not weights or not set(weights) <= set(tables):
        return _NOTHING
    measured = pd.concat([tables[arm] for arm in weights], axis=1)
    parts = [_part(own, weights, seeds) for _, own in measured.groupby(level="data", sort=True)]
    if len({tuple(part.columns) for part in parts}) != 1:
        return _NOTHING
    return crossed_effect([_by_query(part) for part in parts], level)


def claim_over_people(
    claim: Claim, tables: Mapping[str, pd.DataFrame], level: float, seeds: Collection[int], found: str
) -> OverPeople:
    """Return what a claim whose seeds share their people says of other people.

    Args:
        claim: The claim.
        tables: Tables of `query_tables` of its arms.
        level: What the claim may spend.
        seeds: The seeds that its verdict rests on.
        found: The verdict.
    """
    sign = METRICS[claim.metric].sign

    def of(weights: Mapping[str, float]) -> CrossedEffect:
        return over_people(tables, {arm: sign * weight for arm, weight in weights.items() if weight}, level, seeds)

    effect, control, excess = of(claim.effect), None, None
    if claim.control:
        control = of(claim.control)
        excess = of({arm: claim.effect.get(arm, 0.0) - claim.control.get(arm, 0.0) for arm in claim.arms})
    unknown = any(part and math.isnan(part.low) for part in (effect, control, excess))
    if unknown or found not in verdict.CLAIM_VERDICTS:
        return OverPeople(False, effect, excess)
    others = verdict.of_claim(effect, claim.smallest_effect, control, excess, claim.vanishes_within)
    return OverPeople(False, effect, excess, found if others == found else verdict.UNDECIDED)


def _part(measured: pd.DataFrame, weights: Mapping[str, float], seeds: Collection[int] | None) -> pd.DataFrame:
    """Return the weighted sum of the arms that were tested on one data set, one column per seed."""
    tested = measured.dropna(axis=1, how="all")
    own = {arm: weight for arm, weight in weights.items() if arm in tested.columns.get_level_values("arm")}
    if not own or abs(sum(own.values())) > _ROUNDING:
        return pd.DataFrame(index=tested.index)
    found = weighted(tested, own)
    return found if seeds is None else found.loc[:, found.columns.isin(list(seeds))]


def _by_query(part: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.generic]]:
    return part.to_numpy(np.float64).T, part.index.get_level_values("identity").to_numpy()
