"""How often results hold for other people, on simulated studies whose truth is known.

    uv run python benchmarks/other_people.py            # 4,000 studies a row
    uv run python benchmarks/other_people.py 200        # a quick look

The difference of two arms in a query is effect + seed + identity + query + seed × identity + seed × query. The standard
deviations are of the order of those that `variance.py` prints for the arms of `mgn.yaml`, and each identity has one to
five queries. The truth is the effect for all seeds and people. The interval over seeds is that of `rank_effect`, which
decides claims; the one over seeds and people is that of `crossed_effect`, which the report shows. Prints Markdown.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.statistics.crossed import crossed_effect
from analysis.statistics.effect import LEVEL
from analysis.statistics.signed_rank import rank_effect

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]

OF_SEED, OF_IDENTITY, OF_QUERY, OF_SEED_AND_IDENTITY, OF_SEED_AND_QUERY = 0.02, 0.06, 0.09, 0.12, 0.22
MOST_QUERIES = 5


def normal(generator: np.random.Generator, count: int) -> Floats:
    """Return numbers with a standard deviation of 1."""
    return generator.standard_normal(count)


def skewed(generator: np.random.Generator, count: int) -> Floats:
    """Return numbers with a standard deviation of 1 and a long tail on one side (exponential)."""
    return generator.exponential(1.0, count) - 1.0


@dataclass(frozen=True)
class Case:
    """Studies of one kind.

    Attributes:
        seeds: Seeds of both arms.
        identities: Identities with queries.
        claims: Claims that share the error rate.
        of_identity: Standard deviation of the effect over identities.
        people: Draws how far identities differ.
        redrawn: Whether every seed draws its own people.
        effect: The true effect.
    """

    seeds: int = 9
    identities: int = 100
    claims: int = 1
    of_identity: float = OF_IDENTITY
    people: Draw = normal
    redrawn: bool = False
    effect: float = 0.0

    @property
    def level(self) -> float:
        """What a claim may spend."""
        return LEVEL / self.claims


def study(generator: np.random.Generator, case: Case) -> list[tuple[Floats, npt.NDArray[np.int_]]]:
    """Return the effect in every seed and query `(seeds, queries)`, with identities, for each draw of people."""
    seeds, draws = (1, case.seeds) if case.redrawn else (case.seeds, 1)
    return [_tested(generator, case, seeds) for _ in range(draws)]


def _tested(generator: np.random.Generator, case: Case, seeds: int) -> tuple[Floats, npt.NDArray[np.int_]]:
    sizes = 1 + generator.binomial(MOST_QUERIES - 1, 0.5, case.identities)
    owner = np.repeat(np.arange(case.identities), sizes)
    seed = OF_SEED * generator.standard_normal((seeds, 1))
    identity = case.of_identity * case.people(generator, case.identities)
    query = OF_QUERY * generator.standard_normal(len(owner))
    both = OF_SEED_AND_IDENTITY * generator.standard_normal((seeds, case.identities))
    rest = OF_SEED_AND_QUERY * generator.standard_normal((seeds, len(owner)))
    return case.effect + seed + identity[owner] + query + both[:, owner] + rest, owner


def intervals(generator: np.random.Generator, case: Case) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the interval over seeds and that over seeds and people; the same one where every seed draws its people."""
    tested = study(generator, case)
    by_seed = np.concatenate([effects.mean(axis=1) for effects, _ in tested])
    seeds = rank_effect(by_seed, case.level)
    if case.redrawn:
        return (seeds.low, seeds.high), (seeds.low, seeds.high)
    both = crossed_effect(tested, case.level)
    return (seeds.low, seeds.high), (both.low, both.high)


def coverage(generator: np.random.Generator, repeats: int) -> Iterator[str]:
    """Yield how often intervals miss the effect on all people."""
    yield "| studies | truth missed by seeds alone, % | by seeds and people, % | allowed, % | half-width, points |"
    yield "|---|--:|--:|--:|--:|"
    rows = {
        "6 seeds, 100 people": Case(seeds=6),
        "9 seeds, 100 people": Case(),
        "20 seeds, 100 people": Case(seeds=20),
        "9 seeds, 100 people, one of 7 claims": Case(claims=7),
        "9 seeds, 30 people": Case(identities=30),
        "9 seeds, 750 people": Case(identities=750),
        "9 seeds, 100 people alike": Case(of_identity=0.0),
        "9 seeds, 100 people that differ twice as much": Case(of_identity=2 * OF_IDENTITY),
        "the same, with a long tail": Case(of_identity=2 * OF_IDENTITY, people=skewed),
        "9 seeds, each with 100 people of its own": Case(redrawn=True),
        "the same, people that differ twice as much": Case(redrawn=True, of_identity=2 * OF_IDENTITY),
    }
    for what, case in rows.items():
        found = np.array([intervals(generator, case) for _ in range(repeats)])
        missed = 100 * (~((found[:, :, 0] <= 0) & (found[:, :, 1] >= 0))).mean(axis=0)
        half = 50 * np.median(found[:, 1, 1] - found[:, 1, 0])
        error = 196 * np.sqrt(missed / 100 * (1 - missed / 100) / repeats)
        shown = [f"{rate:.1f} ± {around:.1f}" for rate, around in zip(missed, error, strict=True)]
        yield f"| {what} | {shown[0]} | {shown[1]} | {100 * case.level:.1f} | {half:.1f} |"


def decided(generator: np.random.Generator, repeats: int) -> Iterator[str]:
    """Yield how often a true effect is found for these people, and for others."""
    yield "| effect, points | these 100 people, % | other people too, % | each seed its own 100 people, % |"
    yield "|--:|--:|--:|--:|"
    for effect in (1, 2, 3, 4, 6, 8):
        alike = Case(claims=7, effect=effect / 100, of_identity=2 * OF_IDENTITY)
        own = Case(claims=7, effect=effect / 100, of_identity=2 * OF_IDENTITY, redrawn=True)
        shared = np.array([intervals(generator, alike) for _ in range(repeats)])[:, :, 0] > 0
        redrawn = np.array([intervals(generator, own) for _ in range(repeats)])[:, 0, 0] > 0
        rates = shared[:, 0].mean(), shared.all(axis=1).mean(), redrawn.mean()
        yield f"| {effect} | " + " | ".join(f"{100 * rate:.0f}" for rate in rates) + " |"


def main() -> None:
    """Print the tables."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000
    generator = np.random.default_rng(0)
    tables = {
        "Other people than those that were tested": (coverage, repeats),
        "What is found, with nine seeds, one of seven claims, people that differ twice as much": (
            decided,
            repeats // 4,
        ),
    }
    for title, (rows, count) in tables.items():
        print(f"\n### {title}\n")
        for row in rows(generator, max(count, 1)):
            print(row, flush=True)


if __name__ == "__main__":
    main()
