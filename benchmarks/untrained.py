"""What training is worth: each trained arm of a study against its untrained network and a random ranking.

    uv run python benchmarks/untrained.py runs/mgn

Prints a line per arm of the study's ablations, from its records: mean average precision on the test split of a random
ranking, of the network as initialised (same seeds), and as trained, and the ratios between them.
"""

import sys

import pandas as pd

from reid_search.analysis import load_arms


def main() -> None:
    """Print the table."""
    arms = load_arms(sys.argv[1])
    arms = arms[arms["status"] == "finished"].rename(columns=lambda name: name.removeprefix("test/mAP_"))
    if "untrained" not in arms:
        raise SystemExit(f"{sys.argv[1]}: its records are of an earlier release, which did not test untrained networks")
    table = arms.groupby(["phase", "arm"], sort=False)[["chance", "untrained", "test/mAP"]].mean()
    table["untrained/chance"] = table["untrained"] / table["chance"]
    table["trained/untrained"] = table["test/mAP"] / table["untrained"]
    with pd.option_context("display.width", 160, "display.float_format", "{:.3f}".format):
        print(table.to_string())


if __name__ == "__main__":
    main()
