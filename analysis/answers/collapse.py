"""Which seeds and arms learnt nothing, and how often: an outcome of its own beside the effect.

What has collapsed is defined in `reid_search/records/collapse.py`. An arm whose every finished seed has collapsed is
flagged: `at chance`, or `untrained` where some seeds are only not above their untrained network. Its difference from
other arms says that one of them learns and the other does not, whatever the settings are worth, so it is no effect.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from reid_search.records import Collapse, SeedCounts, Status, collapse_of, knows_untrained

from ..reading.measures import rows_of
from ..statistics.verdict import NO_VERDICT

NOTED = "_collapse"

_EFFECT = ("delta", "low", "high", "p", "p_holm", "p_improve", "sd_delta", "detectable")


def collapsed_seeds(rows: pd.DataFrame) -> "pd.Series[str]":
    """Return of each row of `load_arms` whether its seed is `at chance` or `untrained`; empty if it is neither.

    What `with_collapse` noted of the rows is taken from there.
    """
    if NOTED in rows:
        return rows[NOTED]
    found = [
        collapse_of(row, str(row["evaluate"])) if row["status"] == Status.FINISHED else Collapse.NONE
        for row in rows_of(rows)
    ]
    return pd.Series([str(item) for item in found], index=rows.index, dtype="str")


def with_collapse(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a note of what `collapsed_seeds` says of each, which tables of many claims need again."""
    return rows.assign(**{NOTED: collapsed_seeds(rows)})


def seed_counts(rows: pd.DataFrame) -> dict[str, SeedCounts]:
    """Return how the seeds of each arm ended; `rows` are those of `load_arms` of one phase and readout."""
    seeds = with_collapse(rows).groupby("arm", sort=False)
    return {str(arm): SeedCounts.of(zip(own["status"], map(Collapse, own[NOTED]), strict=True)) for arm, own in seeds}


def flags(rows: pd.DataFrame) -> dict[str, str]:
    """Return each arm that learnt nothing, `at chance` or `untrained`; `rows` as in `seed_counts`."""
    return {arm: str(counts.flag) for arm, counts in seed_counts(rows).items() if counts.flag}


def collapse_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how the seeds of each arm ended, for tables; `rows` as in `seed_counts`.

    Returns:
        One row per arm: `arm`, `finished`, `failed`, `collapsed` (counts), `lost_low` and `lost_high` (95 % interval of
        the rate at which seeds collapse or fail, Clopper & Pearson), `lost` (the same as text, `2 of 8 (3 to 65 %)`),
        `ended` (in words) and `flag`.
    """
    return pd.DataFrame(
        [
            {
                "arm": arm,
                "failed": counts.failed,
                "collapsed": counts.collapsed,
                "lost_low": counts.interval[0],
                "lost_high": counts.interval[1],
                "lost": counts.rate,
                "ended": str(counts),
                "flag": str(counts.flag),
            }
            for arm, counts in seed_counts(rows).items()
        ]
    )


def without_untrained(rows: pd.DataFrame) -> int:
    """Return how many finished seeds are of a release that did not measure the untrained network."""
    finished = rows[rows["status"] == Status.FINISHED]
    return sum(not knows_untrained(row, str(row["evaluate"])) for row in rows_of(finished))


def why_no_effect(flagged: Mapping[str, str]) -> str:
    """Say which arms learnt nothing, and what follows: `arm 'x' is at chance in every seed, so ...`."""
    arms = [f"'{arm}' is {Collapse(flag).words} in every seed" for arm, flag in flagged.items()]
    them = "it is" if len(arms) == 1 else "them is"
    return f"{' and '.join(arms)}, so a difference from {them} no effect"


def withdraw_effects(table: pd.DataFrame, flagged: Mapping[str, str], centre: str = "") -> pd.DataFrame:
    """Take their effect from the arms of a table of `contrasts` that learnt nothing, or from all if the centre did not.

    The verdict of an arm that learnt nothing is its flag, and it comes last. Holm's method has counted it, which makes
    the others' p larger if anything.
    """
    verdicts, notes = dict(flagged), {arm: _note(flag) for arm, flag in flagged.items()}
    if centre in flagged:
        others = [str(arm) for arm in table["arm"] if arm not in flagged]
        verdicts |= dict.fromkeys(others, NO_VERDICT)
        notes |= dict.fromkeys(others, why_no_effect({centre: flagged[centre]}))
    lost, last = table["arm"].isin(list(verdicts)), table["arm"].isin(list(flagged))
    table = table.assign(
        verdict=table["verdict"].where(~lost, table["arm"].map(verdicts)),
        note=table["note"].where(~lost, table["arm"].map(notes)),
    )
    table.loc[lost, [name for name in _EFFECT if name in table]] = np.nan
    return pd.concat([table[~last], table[last]])


def _note(flag: str) -> str:
    return f"{Collapse(flag).words} in every seed, so its difference is no effect"
