"""The table of systems: accuracy, untrained and trained, and cost of each.

    uv run python benchmarks/systems.py runs/systems

Prints Markdown: mean and standard deviation of mAP and Rank-1 over seeds, mAP of the same networks before their first
step, the learning rate that its search found, parameters with and without those of the losses, multiply-adds of one
image (million), and seconds a trial relative to the first system (medians; the machine may have been busy).
"""

import sys
from pathlib import Path

import pandas as pd
from reid_search.analysis.reporting.describe import marks_of
from untrained import untrained

from reid_search.analysis import load_arms
from reid_search.records import StudyStore

HEADER = (
    "| system | mAP, % | Rank-1, % | untrained mAP, % | learning rate | parameters | with losses | multiply-adds, M "
    "| time |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def rows_of(study: Path) -> pd.DataFrame:
    """Return one row per arm and seed, with its name, its learning rate and its untrained mAP."""
    store = StudyStore.at(study)
    asks = {ask.arm: ask for arms in store.log.history().ablations.values() for ask in arms}
    arms = load_arms(study)
    arms = arms[arms["status"] == "finished"]
    return arms.assign(
        system=[asks[arm].settings["system"] for arm in arms["arm"]],
        rate=[", ".join(asks[arm].tuned.values()) for arm in arms["arm"]],
    ).join(_untrained(store, arms))


def _untrained(store: StudyStore, arms: pd.DataFrame) -> pd.DataFrame:
    found = [untrained(store, row.key, row.seed, row.stored_as) for row in arms.itertuples()]
    return pd.DataFrame(found, columns=["chance", "untrained"], index=arms.index)


def line(name: str, rows: pd.DataFrame, seconds: float) -> str:
    """Return the table's line of a system."""
    mean, deviation = (100 * rows[["test/mAP", "test/rank1", "untrained"]].agg(how) for how in ("mean", "std"))
    first = rows.iloc[0]
    mark = "".join(f" {mark}" for mark in marks_of(first))
    cells = [
        f"{name}{mark}",
        f"{mean['test/mAP']:.1f} ± {deviation['test/mAP']:.1f}",
        f"{mean['test/rank1']:.1f} ± {deviation['test/rank1']:.1f}",
        f"{mean['untrained']:.1f}",
        first["rate"],
        f"{first['parameters']:,.0f}",
        f"{first['parameters'] + first['loss_parameters']:,.0f}",
        f"{first['macs'] / 1e6:.1f}",
        f"{rows['seconds'].median() / seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    rows = rows_of(Path(sys.argv[1]))
    first = rows[rows["arm"] == "baseline"]["seconds"].median()
    print(HEADER)
    for name, own in rows.groupby("system", sort=False):
        print(line(str(name), own, first))
    chance = 100 * rows["chance"].mean()
    print(f"\n{rows['seed'].nunique()} seeds; a random ranking has {chance:.1f} % mAP")
    print("† transductive, ‡ told the truth in testing")


if __name__ == "__main__":
    main()
