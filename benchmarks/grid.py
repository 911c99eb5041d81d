"""What searches miss: replays of searches on a recorded grid, whose every arm was trained with every seed.

    uv run reid-search run search_spaces/grid.yaml            # about an hour on two CPU cores; resumes where it was
    uv run python benchmarks/grid.py record runs/grid         # the finished study as benchmarks/grid.parquet
    uv run python benchmarks/grid.py replay                   # 50 searches a row, some ten minutes; trains nothing
    uv run python benchmarks/grid.py replay --runs 6          # a quick look

A search sees one seed of each arm, the seeds in turn. What its best arm is worth is the truth of the last two of the
other seeds, shrunken; its regret is how much more the arm with the best truth is worth. Seeds between these, if the
grid has some, are those of finalists. Our searches propose, stop and choose finalists by the code that runs studies,
those of Ray Tune and Optuna by the classes of these libraries. All train one arm after another, and are compared
after equal numbers of images. Prints Markdown.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from recorded_grid import Floats, Grid, read, record, spreads, truth, truth_by_factors
from replayed_searches import Found, Replay, Search, asha, optuna_alone, ours

FILE = Path(__file__).with_name("grid.parquet")
SHARES = (0.025, 0.05, 0.1, 0.15, 0.2, 0.25)  # of the images of one seed of every arm
FINALISTS = 3
OF_TRUTH = 2


def searches(grid: Grid) -> dict[str, Search]:
    """Return what is compared, by name; finalists only where seeds are left for them."""
    fresh = grid.seeds - 1 - OF_TRUTH
    found = {"the default search (tpe, successive_halving)": ours()}
    if fresh > 0:
        found[f"the same, {FINALISTS} finalists on {fresh} fresh seeds"] = ours(finalists=FINALISTS, seeds=fresh)
    return {
        **found,
        "tpe, successive_halving of the demo": ours(pruner={"min_epochs": 3, "reduction": 2}),
        "tpe, no pruner": ours(pruner="none"),
        "random search": ours(sampler="random", pruner="none"),
        "Ray Tune: random search, ASHA": asha,
        "Optuna: TPE, median pruner": optuna_alone,
    }


def replays(grid: Grid, runs: int) -> list[Replay]:
    """Return so many searches, each seed of the grid in turn the one that is seen."""
    budgets = [int(share * grid.images_of_all) for share in SHARES]
    orders = [np.roll(np.arange(grid.seeds), -run).tolist() for run in range(runs)]
    return [Replay(grid, seen, fresh[:-OF_TRUTH], run, budgets) for run, (seen, *fresh) in enumerate(orders)]


def truths(grid: Grid) -> dict[str, list[Floats]]:
    """Return the truth of each arm by how it is guessed, for each seed that a search may see."""
    others = [np.roll(grid.ends, -seen, axis=1)[:, -OF_TRUTH:] for seen in range(grid.seeds)]
    return {
        "the mean of all arms": [truth(ends) for ends in others],
        "what levels and pairs of levels predict": [truth_by_factors(grid, ends) for ends in others],
    }


def regrets(arms: Sequence[int | None], true: Sequence[Floats]) -> Floats:
    """Return the regret of each run in points of mAP, infinite where it found nothing; seeds are seen in turn."""
    seen = [true[run % len(true)] for run in range(len(arms))]
    return np.array(
        [np.inf if arm is None else 100 * (own.max() - own[arm]) for arm, own in zip(arms, seen, strict=True)]
    )


def cell(found: Floats) -> str:
    """Return the median and quartiles of regrets."""
    shown = [
        "–" if np.isinf(value) else f"{value:.2f}" for value in np.quantile(found, (0.5, 0.25, 0.75), method="nearest")
    ]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def rows(found: Mapping[str, Sequence[Sequence[Found]]], true: Sequence[Floats]) -> list[str]:
    """Return the lines of a table, a search each."""
    lines = []
    for name, runs in found.items():
        cells = [cell(regrets([run[at].arm for run in runs], true)) for at in range(len(SHARES))]
        trainings = np.median([run[-1].trainings for run in runs])
        lines.append(f"| {name} | {' | '.join(cells)} | {trainings:.0f} |")
    return lines


def limits(grid: Grid, true: Sequence[Floats]) -> list[str]:
    """Return what even choosing from all arms loses, since seeds differ."""
    all_seen = [int(grid.ends[:, seen].argmax()) for seen in range(grid.seeds)]
    best = [int(grid.ends.mean(axis=1).argmax())] * grid.seeds
    lines = {
        "every arm to its end, its best by the seed that is seen": all_seen,
        "the arm with the best mean of all seeds": best,
    }
    return [f"- {name}: {', '.join(f'{value:.2f}' for value in regrets(arms, true))}" for name, arms in lines.items()]


def report(grid: Grid, runs: int) -> None:
    """Replay every search and print the tables."""
    between, within = (100 * value for value in spreads(grid.ends))
    size = f"{len(grid.arms)} arms × {grid.seeds} seeds × {len(grid.images)} epochs"
    print(f"{size}, {grid.images[-1]:,} images a training; {runs} searches a row.")
    print(f"One seed of every arm takes {grid.images_of_all:,} images, which are 100 % below.")
    print(f"Standard deviation of arms {between:.2f} points of mAP, of an arm's seeds {within:.2f}.")
    planned = replays(grid, runs)
    found = {name: [search(replay) for replay in planned] for name, search in searches(grid).items()}
    shares = " | ".join(f"{100 * share:g} %" for share in SHARES)
    for name, true in truths(grid).items():
        print(f"\n### Regret in points of mAP, median [quartiles]; truth shrunken towards {name}\n")
        print(f"| search | {shares} | trainings |\n|---|{'--:|' * (len(SHARES) + 1)}")
        print("\n".join(rows(found, true)))
        print("\nRegret of what has seen all, for each seed that is seen:\n")
        print("\n".join(limits(grid, true)))


def main() -> None:
    """Record a grid, or replay searches on it."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="write a finished study as a file of a grid")
    recording.add_argument("study", type=Path, help="its folder, such as runs/grid")
    recording.add_argument("--file", type=Path, default=FILE)
    replaying = commands.add_parser("replay", help="replay searches and print their regret")
    replaying.add_argument("--runs", type=int, default=50)
    replaying.add_argument("--file", type=Path, default=FILE)
    given = parser.parse_args()
    if given.command == "replay":
        report(read(given.file), given.runs)
    else:
        written = record(given.study, given.file)
        print(f"{given.file}: {len(written)} rows, {given.file.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
