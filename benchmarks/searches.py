"""How often what a report says of a search is right, on simulated searches whose truth is known.

    uv run python benchmarks/searches.py            # 150 searches a row (importance: 20), about twenty minutes
    uv run python benchmarks/searches.py 20         # a quick look

The proposer and the pruner are those that run studies; only trainings are replaced, by curves whose ends follow a known
function of the settings (`simulated_searches.py`). Every number goes through the code that writes reports. Prints
Markdown.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from answers import Floats, Rate
from simulated_searches import START, Problem, simulated

from analysis.answers.importances import summarise_importance
from analysis.answers.searches import SearchSummary, summarise_searches
from analysis.reading.proposals import search_table
from analysis.statistics.importance import Setting, importance
from reid_search.records import StudyState
from reid_search.study import Axis

Shape = Callable[[float], float]
Shapes = Callable[[np.random.Generator], Shape]

OF_SEED, OF_EPOCH = 0.02, 0.01
HALVING = {"kind": "successive_halving", "min_epochs": 1}  # from the first epoch on, the hardest case
SEARCHES = [("random", "none", 24), ("tpe", "none", 24), ("tpe", HALVING, 24),
            ("tpe", HALVING, 40)]  # fmt: skip
RANGE = Axis(uniform=(0.0, 1.0))
GRID = Axis(choice=[0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0])


def summary_of(state: StudyState) -> SearchSummary:
    """Return the summary of the only search of a study."""
    [search] = summarise_searches(state, search_table(state))
    return search


# What one setting does, in standard deviations of a seed, from 0 to 1 of its range. Half a range beyond the edge at 1,
# each of the first three is 2 standard deviations better than anywhere inside.
EDGES: Mapping[str, Shapes] = {
    "an optimum half a range beyond": lambda _: lambda x: -8 * (x - 1.5) ** 2,
    "ever slower gains": lambda _: lambda x: -2 / (math.exp(-2) - math.exp(-3)) * math.exp(-2 * x),
    "steady gains": lambda _: lambda x: 4 * x,
}
INSIDE: Mapping[str, Shapes] = {
    "no effect": lambda _: lambda x: 0.0 * x,
    "an optimum inside, the nearer edge 2 sd worse": lambda generator: _bowl(generator.uniform(0.25, 0.75), 2.0),
    "an optimum inside, the nearer edge 1 sd worse": lambda generator: _bowl(generator.uniform(0.25, 0.75), 1.0),
    "gains up to a cliff, and nothing learns beyond": lambda generator: _cliff(generator.uniform(0.5, 0.8)),
}


def _bowl(best: float, worse: float) -> Shape:
    return lambda x: -worse * ((x - best) / min(best, 1 - best)) ** 2


def _cliff(at: float) -> Shape:
    return lambda x: 8 * x if x < at else -15.0


def edge_rates(repeats: int) -> Iterator[Rate]:
    """Yield how often an optimum at the edge of a range is reported, and how often one is where there is none."""
    for wanted, shapes in (("at least 95", EDGES), ("at most 5", INSIDE)):
        for name, shape in shapes.items():
            for sampler, pruner, trials in SEARCHES:
                found = [_sides(shape, seed, sampler, pruner, trials) for seed in range(repeats)]
                stops = "" if pruner == "none" else ", halving"
                yield _rate(f"{name}: {sampler}, {trials} trials{stops}", found, wanted)
            found = [_sides_of_a_grid(shape, seed) for seed in range(repeats)]
            yield _rate(f"{name}: a grid of {len(GRID.choice or ())} values, one trial each", found, wanted)
        name, shape = next(iter(shapes.items()))
        found = [_sides(shape, seed, "random", "none", 24, lost=0.1) for seed in range(repeats)]
        yield _rate(f"{name}, but one seed in ten learns nothing: random, 24 trials", found, wanted)


def _rate(what: str, found: Sequence[set[str]], wanted: str) -> Rate:
    """Return how often the upper edge was reported where the optimum is there, or any edge where none is."""
    hits = sum("largest" in sides if wanted == "at least 95" else bool(sides) for sides in found)
    return Rate(what, hits, len(found), wanted)


def _sides(shape: Shapes, seed: int, sampler: str, pruner: str, trials: int, lost: float = 0.0) -> set[str]:
    """Return the sides at which the report sees an optimum of the setting `x`, beside two others that matter too."""
    generator, luck = np.random.default_rng([seed, 2]), np.random.default_rng([seed, 3])
    own, best = shape(generator), generator.uniform(0.2, 0.8, 2)

    def truth(values: Mapping[str, object]) -> float:
        if luck.random() < lost:
            return START
        x, y, z = (float(str(values[name])) for name in "xyz")
        return 0.6 + OF_SEED * (max(own(x), -20.0) - 8 * (y - best[0]) ** 2 - 8 * (z - best[1]) ** 2)

    problem = Problem(dict.fromkeys("xyz", RANGE), truth, OF_SEED, OF_EPOCH)
    search = summary_of(simulated(problem, seed=seed, trials=trials, sampler=sampler, pruner=pruner))
    return {edge.side for edge in search.edges if edge.axis == "x"}


def _sides_of_a_grid(shape: Shapes, seed: int) -> set[str]:
    own, levels = shape(np.random.default_rng([seed, 2])), list(GRID.choice or ())

    def truth(values: Mapping[str, object]) -> float:
        return 0.6 + OF_SEED * max(own(levels.index(values["x"]) / (len(levels) - 1)), -20.0)

    search = summary_of(simulated(Problem({"x": GRID}, truth, OF_SEED, OF_EPOCH), seed=seed, trials=8, sampler="grid"))
    return {edge.side for edge in search.edges}


IMPORTANT: Mapping[str, Axis] = {
    "architecture": Axis(choice=["a", "b"]),
    "lr": Axis(log_uniform=(1e-4, 1e-2)),
    "margin": Axis(uniform=(0.0, 2.0)),
    "flip": Axis(choice=[True, False]),
}
# Each axis adds its own, so its share of the variance is its variance: two levels, a parabola, a line, nothing.
VARIANCES = {"architecture": 0.25**2 / 4, "lr": 0.1**2 * (1 / 5 - 1 / 9), "margin": 0.03**2 / 12, "flip": 0.0}


def _worth(values: Mapping[str, object]) -> float:
    """Return an mAP of which the architecture is worth 25 points, the rate 10, the margin 3 and the flip none."""
    rate, margin = (float(str(values[name])) for name in ("lr", "margin"))
    return 0.2 + 0.25 * (values["architecture"] == "b") + 0.1 * (1 - (math.log10(rate) + 3) ** 2) + 0.03 * margin / 2


def importance_rows(repeats: int) -> Iterator[str]:
    """Yield the importance of an axis worth 25 points, by the report and from the ends that a pruner left."""
    problem = Problem(IMPORTANT, _worth, OF_SEED, OF_EPOCH)
    for sampler, pruner, trials in [*SEARCHES, ("random", HALVING, 24)]:
        shares, first, of_ends = [], 0, []
        for seed in range(repeats):
            state = simulated(problem, seed=seed, trials=trials, sampler=sampler, pruner=pruner)
            search = summary_of(state)
            shares.append(_shares(state, search))
            first += shares[-1].argmax() == 0
            of_ends.append(_of_the_best(search))
        means = " | ".join(f"{share:.2f}" for share in np.mean(shares, axis=0))
        stops = "" if pruner == "none" else ", halving"
        numbers = f"{means} | {100 * first / repeats:.0f} | {np.nanmean(of_ends):.2f}"
        yield f"| {sampler}, {trials} trials{stops} | {numbers} |"


def _shares(state: StudyState, search: SearchSummary) -> Floats:
    found = summarise_importance(state, search)
    return np.array([item.importance for item in found.fanova]) if found else np.zeros(len(IMPORTANT))


def _of_the_best(search: SearchSummary) -> float:
    """Return the share of the architecture among the axes by PED-ANOVA of the ends alone, as reports once had it."""
    ended = search.proposals[search.proposals["value"].notna()]
    columns: dict[str, list[Setting]] = {
        name: [str(label) for label in ended[name]] for name in ("architecture", "flip")
    }
    columns |= {"lr": [math.log(float(label)) for label in ended["lr"]], "margin": [float(x) for x in ended["margin"]]}
    generator, values = np.random.default_rng(0), ended["value"].to_numpy(np.float64)
    found = {item.axis: item for item in importance(values, columns, method="ped_anova", generator=generator, draws=1)}
    return found["architecture"].importance


def main() -> None:
    """Print the tables."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    total = sum(VARIANCES.values())
    true = ", ".join(f"{name} {variance / total:.2f}" for name, variance in VARIANCES.items())
    print(f"\n### Importance of an axis worth 25 points (true shares: {true})\n")
    print(f"| search | {' | '.join(VARIANCES)} | comes first, % | architecture, PED-ANOVA of the ends alone |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for row in importance_rows(min(repeats, 20)):
        print(row, flush=True)
    print("\n### Optima at the edge of a range\n\n| what | rate, % | of | should be, % |\n|---|--:|--:|---|")
    for rate in edge_rates(repeats):
        print(rate, flush=True)


if __name__ == "__main__":
    main()
