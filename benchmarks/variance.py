"""How much seeds, identities and queries move a measured mAP; the source of the spreads in `other_people.py`.

    uv run python benchmarks/variance.py runs/mgn

For every arm of an ablation and its difference from the centre, in points of mAP: the standard deviation over seeds;
and those of what the difference of a query's average precision is made of: seed + identity + query of the identity +
seed × identity + seed × query (analysis of variance by moments).
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import load_arms
from analysis.reading.queries import per_query, weighted
from reid_search.records import StudyStore, read_state

COLUMNS = ["arm", "sd of mAP", "sd of Δ", "seed", "identity", "query", "seed × identity", "seed × query"]


def spreads(table: pd.DataFrame, arm: str) -> list[float]:
    """Return the spreads of an arm against the centre, as fractions of 1."""
    differences = weighted(table, {arm: 1.0, "baseline": -1.0}).dropna(how="all")
    by_identity = differences.groupby(level="identity")
    means, each = by_identity.mean(), by_identity.size().mean()
    queries, identities, seeds = len(differences), len(means), differences.shape[1]
    within = differences - by_identity.transform("mean")
    over_seeds = within.mean(axis=1)
    of_both = _squares(within.sub(over_seeds, axis=0)) / ((queries - identities) * (seeds - 1))
    of_query = _squares(over_seeds) / (queries - identities) - of_both / seeds
    crossed = means.sub(means.mean(axis=1), axis=0).sub(means.mean() - means.mean().mean(), axis=1)
    interaction = _squares(crossed) / ((identities - 1) * (seeds - 1))  # with what queries add to it
    of_identity = float(means.mean(axis=1).var(ddof=1)) - interaction / seeds - of_query / each
    of_seed = float(means.mean().var(ddof=1)) - interaction / identities
    parts = (of_seed, of_identity, of_query, interaction - of_both / each, of_both)
    measured = (table[arm].mean().var(ddof=1), differences.mean().var(ddof=1))
    return [float(np.sqrt(max(part, 0.0))) for part in (*measured, *parts)]


def _squares(values: pd.DataFrame | pd.Series) -> float:
    return float((values**2).to_numpy().sum())


def main() -> None:
    """Print the spreads of a study's first ablation."""
    study = Path(sys.argv[1])
    arms = load_arms(study)
    arms = arms[(arms["phase"] == arms["phase"].iloc[0]) & (arms["readout"] == "default")]
    if arms["data_fingerprint"].astype(str).str.startswith("redrawn").any():
        raise SystemExit(f"{study}: every seed has different queries, so seeds and queries cannot be told apart")
    table = per_query(read_state(StudyStore.at(study)), arms)
    print(f"| {' | '.join(COLUMNS)} |\n|---|{'--:|' * (len(COLUMNS) - 1)}")
    found = []
    for arm in dict.fromkeys(arms["arm"]):
        alike = arms[arms["arm"].isin([arm, "baseline"])]["data_fingerprint"].nunique() == 1
        if arm != "baseline" and alike:
            found.append(spreads(table, arm))
            print(f"| {arm} | " + " | ".join(f"{100 * value:.2f}" for value in found[-1]) + " |")
    print("| median | " + " | ".join(f"{100 * value:.2f}" for value in np.median(found, axis=0)) + " |")


if __name__ == "__main__":
    main()
