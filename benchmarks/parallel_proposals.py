"""What parallel workers cost a search: the regret of its best trial, by workers and by settings of the sampler.

    uv run python benchmarks/parallel_proposals.py          # 24 and 40 trials, 30 seeds; some ten minutes of one core
    uv run python benchmarks/parallel_proposals.py 24 8     # 24 trials, 8 seeds

The proposer is the one that runs studies; only the trainings are replaced, by functions whose optimum is known. Trials
take 0.5 to 1.5 units of time, and a worker asks as soon as it is free, as in a run: with 16 workers 15 are under way.
`fit at` is the number of the first proposal that is not drawn at random. Means over functions and seeds, ± a standard
error.
"""

import heapq
import math
import random
import sys
from collections.abc import Callable, Mapping

import numpy as np

from reid_search.scheduling.proposals import Proposer
from reid_search.study import Axis, SearchPhase, Space

BASE = {"data": {"name": "synthetic", "preset": "tiny"}, "model": {"architecture": "baseline"}}
Problem = tuple[dict[str, Axis], Callable[[Mapping[str, float]], float]]
ROWS: list[tuple[int, object]] = [
    (1, "random"),
    (1, "tpe"),
    (4, "tpe"),
    (16, "tpe"),
    (1, {"startup": 25}),
    (16, {"startup": 5}),
    (16, {"startup": 2}),
    (4, {"workers": 4}),
    (16, {"workers": 16}),
]


def sphere(at: Mapping[str, float]) -> float:
    """Return the distance from the origin, squared."""
    return sum(value**2 for value in at.values())


def bowl(at: Mapping[str, float]) -> float:
    """Return the squared distance from an optimum off the middle, times 10."""
    return 10 * sum(
        (value - best) ** 2 for value, best in zip(at.values(), (0.3, 0.7, 0.2, 0.9, 0.5, 0.1), strict=True)
    )


def mixed(at: Mapping[str, float]) -> float:
    """Return a bowl whose choices cost 0, 3 or 5, and of whose ranges one exists under two of them."""
    part = (at["part"] - 0.2) ** 2 if "part" in at else 0.0
    return at["kind"] + 8 * (math.log10(at["lr"]) + 2.5) ** 2 / 3 + 30 * ((at["a"] - 0.3) ** 2 + part)


RANGES = {name: Axis(uniform=(0.0, 1.0)) for name in "abcdef"}
PROBLEMS: dict[str, Problem] = {
    "sphere in 3": ({name: Axis(uniform=(-5.0, 5.0)) for name in "xyz"}, sphere),
    "bowl in 6": (RANGES, bowl),
    "mixed": (
        {
            "kind": Axis(choice=[0.0, 3.0, 5.0]),
            "lr": Axis(log_uniform=(1e-4, 1e-1)),
            "a": RANGES["a"],
            "part": Axis(uniform=(0.0, 1.0), when={"kind": [0.0, 3.0]}),
        },
        mixed,
    ),
}


def regret(problem: Problem, sampler: object, trials: int, workers: int, seed: int) -> float:
    """Return how far the best of a search's trials is from the optimum, which is 0."""
    axes, function = problem
    phase = SearchPhase.model_validate({"kind": "search", "sampler": sampler, "trials": trials, "pruner": "none"})
    proposer = Proposer(phase, Space(BASE, axes), seed, "benchmark")
    draw, clock = random.Random(seed), 0.0
    running: list[tuple[float, int, float]] = []
    found: list[float] = []
    for number in range(trials):
        if len(running) == workers:
            clock, ended, value = heapq.heappop(running)
            proposer.tell(ended, -value)
        settings, _ = proposer.ask(number)
        found.append(function({path: float(level.value) for path, level in settings.items()}))
        heapq.heappush(running, (clock + draw.uniform(0.5, 1.5), number, found[-1]))
    return min(found)


def fitted_from(sampler: object, workers: int) -> str:
    """Return the number of the first proposal that TPE models where no trial fails."""
    config = SearchPhase.model_validate({"kind": "search", "sampler": sampler}).sampler
    if config.kind != "tpe":
        return "never"
    under_way = min(config.workers - 1, config.startup // 2)
    return str(config.startup - under_way + workers - 1)


def main() -> None:
    """Print the table."""
    lengths = [int(sys.argv[1])] if len(sys.argv) > 1 else [24, 40]
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    print("trials | workers | sampler | fit at | " + " | ".join(PROBLEMS))
    for trials in lengths:
        for workers, sampler in ROWS:
            cells = []
            for problem in PROBLEMS.values():
                values = np.array([regret(problem, sampler, trials, workers, seed) for seed in range(seeds)])
                cells.append(f"{values.mean():.2f} ± {values.std(ddof=1) / math.sqrt(seeds):.2f}")
            named = sampler if isinstance(sampler, str) else f"tpe {sampler}"
            print(f"{trials} | {workers} | {named} | {fitted_from(sampler, workers)} | {' | '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
