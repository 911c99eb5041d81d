"""The table of systems: accuracy, untrained and trained, and cost of each.

    uv run python benchmarks/systems.py runs/systems

Prints Markdown: mean and standard deviation of mAP and Rank-1 over seeds, mAP of the same networks before their first
step, the multiplier of its rates that its search found, parameters with and without those of the losses, multiply-adds
of one image (million), and seconds a trial relative to the first system (medians; the machine may have been busy).
Below the table stands what the study's overlay and each row change of the published recipes.
"""

import math
import sys
from pathlib import Path

import pandas as pd
from reid_search.analysis.reading.recipes import made_of
from reid_search.analysis.reporting.describe import marks_of

from reid_search.analysis import load_arms
from reid_search.records import StudyStore, read_state
from reid_search.study.question.recipe_lines import recipe_lines

TUNED = "training.lr_multiplier"
HEADER = (
    "| system | mAP, % | Rank-1, % | untrained mAP, % | rates × | parameters | with losses | multiply-adds, M "
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
        untrained=arms.get("test/mAP_untrained", math.nan),  # records of earlier releases do not have it
    )


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


def changes(study: Path) -> list[str]:
    """Return a line for the overlay, and one for each row that changes something else of its recipe."""
    state = read_state(StudyStore.at(study))
    asks = {ask.arm: ask for arms in state.ablations.values() for ask in arms}
    made = {str(ask.settings["system"]): made_of(state, ask) for ask in asks.values()}
    for name, item in made.items():
        if item is not None:
            made[name] = item._replace(changes=[change for change in item.changes if change.path != TUNED])
    return [f"- {line}" for line in recipe_lines(made) if "nothing else" not in line]


def main() -> None:
    """Print the table."""
    study = Path(sys.argv[1])
    rows = rows_of(study)
    first = rows[rows["arm"] == "baseline"]["seconds"].median()
    print(HEADER)
    for (name, readout), own in rows.groupby(["system", "readout"], sort=False):
        print(line(name if readout == "default" else f"{name}, readout {readout}", own, first))
    chance = 100 * rows["test/mAP_chance"].mean()
    print(f"\n{rows['seed'].nunique()} seeds; a random ranking has {chance:.1f} % mAP")
    print("† transductive, ‡ told the truth in testing\n")
    print("\n".join(changes(study)))


if __name__ == "__main__":
    main()
