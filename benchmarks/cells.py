"""The cells of a factorial ablation: mean and standard deviation of mAP over seeds, one axis down, the others across.

Where a study tests in several ways, every readout has columns of its own.

    uv run python benchmarks/cells.py runs/claim_parts

Measurements, not verdicts: with few seeds a difference between two cells may be noise.
"""

import sys
from pathlib import Path

import pandas as pd

from reid_search.analysis import load_arms
from reid_search.records import StudyStore


def cells(study: Path) -> pd.DataFrame:
    """Return one row per arm, readout and seed: levels, `readout` if there are several, `seed`, `mAP` in per cent."""
    ablations = StudyStore.at(study).log.history().ablations
    settings = {ask.arm: ask.settings for asks in ablations.values() for ask in asks}
    arms = load_arms(study)
    arms = arms[arms["status"] == "finished"]
    axes = pd.DataFrame([settings[arm] for arm in arms["arm"]], index=arms.index)
    several = {"readout": arms["readout"]} if arms["readout"].nunique() > 1 else {}
    return axes.assign(**several, seed=arms["seed"], mAP=100 * arms["test/mAP"])


def main() -> None:
    """Print the table."""
    table = cells(Path(sys.argv[1]))
    down, *across = [name for name in table if name not in ("seed", "mAP")]
    grouped = table.groupby([down, *across], sort=False)["mAP"]
    shown = grouped.mean().map("{:.1f}".format) + " ± " + grouped.std().map("{:.1f}".format)
    with pd.option_context("display.width", 200, "display.max_columns", None):
        print((shown.unstack(across, sort=False) if across else shown).to_string())
        print(f"per cent mAP on the test split, mean ± standard deviation over {table['seed'].nunique()} seeds")


if __name__ == "__main__":
    main()
