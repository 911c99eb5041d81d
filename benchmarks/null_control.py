"""What parts gain where they should gain nothing, seed by seed, and what of it comes without looking at places.

    uv run python benchmarks/null_control.py runs/claims

Paired differences of test mAP in points, with the mean and its 95 % t interval, not corrected for their number.
"Scattered" parts have every head, loss, value and parameter of three stripes, and each sees places scattered over the
map. "Its global vector" is the same network, tested with the vector of the whole map alone.
"""

import sys
from pathlib import Path

import pandas as pd
from scipy import stats

from analysis import load_arms

PEOPLE = {"everybody has a twin": "", "nobody, one cloth (null control)": ", twins=nobody, one cloth"}
STRIPES, SCATTERED, GLOBAL = "parts=3 stripes", "parts=3 scattered parts", ""
PAIRS = {
    "3 stripes − global": ((STRIPES, "default"), (GLOBAL, "default")),
    "3 scattered parts − global": ((SCATTERED, "default"), (GLOBAL, "default")),
    "3 stripes − 3 scattered parts": ((STRIPES, "default"), (SCATTERED, "default")),
    "3 stripes, its global vector − global": ((STRIPES, "global_alone"), (GLOBAL, "default")),
    "3 scattered parts, its global vector − global": ((SCATTERED, "global_alone"), (GLOBAL, "default")),
    "3 stripes − its global vector": ((STRIPES, "default"), (STRIPES, "global_alone")),
}


def differences(arms: pd.DataFrame, people: str) -> dict[str, pd.Series]:
    """Return the differences of each pair among some people, by seed, in points."""

    def values(parts: str, readout: str) -> pd.Series:
        name = (parts + people).removeprefix(", ") or "baseline"
        own = arms[(arms["arm"] == name) & (arms["readout"] == readout)]
        return 100 * own.set_index("seed")["test/mAP"]

    return {name: (values(*one) - values(*other)).dropna() for name, (one, other) in PAIRS.items()}


def main() -> None:
    """Print a table for each kind of people."""
    arms = load_arms(Path(sys.argv[1]))
    for title, people in PEOPLE.items():
        found = differences(arms, people)
        seeds = sorted({seed for one in found.values() for seed in one.index})
        print(f"| {title} | {' | '.join(f'seed {seed}' for seed in seeds)} | mean |\n|---|{'--:|' * (len(seeds) + 1)}")
        for name, one in found.items():
            half = stats.t.ppf(0.975, len(one) - 1) * one.std(ddof=1) / len(one) ** 0.5
            cells = [f"{one[seed]:+.1f}" if seed in one else "–" for seed in seeds]
            mean = f"{one.mean():+.1f} [{one.mean() - half:+.1f} to {one.mean() + half:+.1f}]"
            print(f"| {name} | {' | '.join((*cells, mean))} |".replace("-", "−"))
        print()


if __name__ == "__main__":
    main()
