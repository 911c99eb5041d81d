"""How much seeds, identities and queries move a measured mAP; the source of the spreads in `answers.py`.

    uv run python benchmarks/variance.py runs/claim_parts

For every arm of an ablation and its difference from the centre, in points of mAP: the standard deviation over seeds;
and for the differences of a query's average precision, those over identities, over the queries of an identity, and of
seed × query (analysis of variance by moments).
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import load_arms
from analysis.reading.queries import per_query, weighted
from reid_search.records import StudyStore, read_state

COLUMNS = ["arm", "sd of mAP", "sd of Δ", "identities", "queries", "seed × query"]


def spreads(table: pd.DataFrame, arm: str) -> list[float]:
    """Return the spreads of an arm against the centre, as fractions of 1."""
    differences = weighted(table, {arm: 1.0, "baseline": -1.0}).dropna(how="all")
    over_seeds = differences.mean(axis=1)
    residual = differences.sub(over_seeds, axis=0).sub(differences.mean() - over_seeds.mean(), axis=1)
    shape = (residual.shape[0] - 1) * (residual.shape[1] - 1)
    of_seed = float((residual**2).to_numpy().sum() / shape)
    by_identity = over_seeds.groupby(level="identity")
    within = float(by_identity.var(ddof=1).mean())
    between = float(by_identity.mean().var(ddof=1) - within / by_identity.size().mean())
    queries = max(within - of_seed / residual.shape[1], 0.0)
    parts = (table[arm].mean().var(ddof=1), differences.mean().var(ddof=1), max(between, 0.0), queries, of_seed)
    return [float(np.sqrt(part)) for part in parts]


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
