"""How often verdicts are wrong, and how often they find a true effect, on simulated studies whose truth is known.

    uv run python benchmarks/answers.py            # 2,000 studies a row
    uv run python benchmarks/answers.py 200        # a quick look

Every number goes through the code that writes reports: `contrasts`, `answer_claims`, `factorial_effects`,
`bootstrap_queries`. The simulated mAP of an arm and seed is the arm's mean plus a seed effect that all arms share plus
independent noise. The spreads are of the order of what `variance.py` prints for `systems.yaml`; effects are given in
standard deviations of the paired difference, so that the rates hold for other spreads too. Prints Markdown.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis import contrasts
from analysis.answers.claims import answer_claims
from analysis.statistics.bootstrap import bootstrap_queries
from analysis.statistics.effect import LEVEL, mean_effect
from analysis.statistics.factorial import factorial_effects
from reid_search.records import ClaimMade, ContrastDrawn, History, RunStarted, StudyState, StudyStore

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]

MEAN, OF_SEED, OF_ARM = 0.50, 0.020, 0.045  # mAP; standard deviations of shared and of independent noise
OF_DIFFERENCE = OF_ARM * math.sqrt(2)
OF_IDENTITY, OF_QUERY, OF_SEED_AND_QUERY = 0.12, 0.14, 0.25  # of the difference of a query's average precision
IDENTITIES, QUERIES_EACH = 100, 3
SMALLEST = 0.01
SEEDS = 5


def normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return noise with a standard deviation of 1."""
    return generator.standard_normal(shape)


def heavy_tailed(generator: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return noise with a standard deviation of 1 and a few outliers (t with 3 degrees of freedom)."""
    return np.asarray(generator.standard_t(3, shape) / math.sqrt(3))


@dataclass(frozen=True)
class Rate:
    """How often something happened, out of how many, and how often it should, in words."""

    what: str
    hits: int
    of: int
    wanted: str

    def __str__(self) -> str:
        """Return the line of a Markdown table."""
        rate = self.hits / self.of
        error = 1.96 * math.sqrt(rate * (1 - rate) / self.of)
        return f"| {self.what} | {100 * rate:.1f} ± {100 * error:.1f} | {self.of:,} | {self.wanted} |"


def study(
    generator: np.random.Generator, effects: Mapping[str, float], seeds: int = SEEDS, noise: Draw = normal
) -> pd.DataFrame:
    """Return the arms of a simulated study as `load_arms` would; effects are differences from `baseline`, in mAP."""
    arms = {"baseline": 0.0, **effects}
    shared = OF_SEED * generator.standard_normal(seeds)
    own = OF_ARM * noise(generator, (len(arms), seeds))
    values = MEAN + np.asarray(list(arms.values()))[:, None] + shared + own
    names = np.repeat(list(arms), seeds)
    return pd.DataFrame({
        "phase": "ablate", "arm": names, "key": names, "seed": np.tile(np.arange(1, seeds + 1), len(arms)),
        "readout": "default", "evaluate": "test", "status": "finished", "data_fingerprint": "simulated",
        "stored_as": "default", "protocol": "simulated", "transductive": False, "test/mAP": values.ravel(),
        "test/rank1": values.ravel(), "parameters": 1, "macs": 1,
    })  # fmt: skip


def claimed(arms: pd.DataFrame, claims: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Return the verdict on each claim, given by the weights of the arms in its effect and its control."""
    content = {"metric": "mAP", "readout": "default", "smallest_effect": SMALLEST}
    history = History()
    history.apply(RunStarted())
    for name, weights in claims.items():
        history.apply(ClaimMade(claim=name, content=content, time="2026-01-01"))
        history.apply(ContrastDrawn.model_validate({"claim": name, "phase": "ablate", **weights}))
    state = StudyState(StudyStore(Path(), "simulated"), {}, history, {})
    return [answer.verdict for answer in answer_claims(state, arms)]


def against(arm: str, other: str = "baseline") -> dict[str, float]:
    """Return the weights of the difference of two arms."""
    return {arm: 1.0, other: -1.0}


def false_positives(generator: np.random.Generator, repeats: int) -> Iterator[Rate]:
    """Yield how often verdicts find an effect where there is none."""
    for name, noise in (("normal noise", normal), ("heavy tails", heavy_tailed)):
        tables = [contrasts(study(generator, {"a": 0.0}, noise=noise)) for _ in range(repeats)]
        found = sum(float(table["p_holm"].iloc[0]) < LEVEL for table in tables)
        covered = sum(bool(table["low"].iloc[0] <= 0 <= table["high"].iloc[0]) for table in tables)
        yield Rate(f"one contrast, {name}: p < .05", found, repeats, "5 (3 to 7)")
        yield Rate(f"one contrast, {name}: the 95 % interval holds the truth", covered, repeats, "95 (93 to 97)")
    null = dict.fromkeys("abcdefg", 0.0)
    found = sum(bool((contrasts(study(generator, null))["p_holm"] < LEVEL).any()) for _ in range(repeats))
    yield Rate("seven contrasts against one baseline, any Holm p < .05", found, repeats, "5 (3 to 7), less if alike")
    found = sum(_any_of_four(generator) for _ in range(repeats))
    yield Rate("four independent contrasts, any Holm p < .05", found, repeats, "5 (3 to 7)")


def _any_of_four(generator: np.random.Generator) -> bool:
    p_values = []
    for _ in range(4):
        values = study(generator, {"a": 0.0})["test/mAP"].to_numpy().reshape(2, SEEDS)
        p_values.append(mean_effect(values[1] - values[0]).p)
    return min(p_values) * 4 < LEVEL  # Holm's first step decides whether any is rejected


def false_verdicts(generator: np.random.Generator, repeats: int) -> Iterator[Rate]:
    """Yield how often a claim gets a wrong verdict."""
    pairs = {"a": 0.0, "b": 0.0, "c": 0.0}
    one = {"claim": {"effect": against("a")}}
    interaction = {"claim": {"effect": {"a": 1.0, "baseline": -1.0, "b": -1.0, "c": 1.0}}}
    control = {"claim": {"effect": against("a"), "control": against("b", "c")}}

    def rate(what: str, effects: Mapping[str, float], claims: Mapping[str, Mapping[str, Mapping[str, float]]],
             verdict: str, wanted: str) -> Rate:  # fmt: skip
        found = sum(claimed(study(generator, effects), claims).count(verdict) for _ in range(repeats))
        return Rate(what, found, repeats, wanted)

    yield rate("a claim of no effect: supported", pairs, one, "supported", "2.5, since it has a direction")
    yield rate("an interaction of no effect: supported", pairs, interaction, "supported", "2.5")
    yield rate("no effect, none in its control: supported", pairs, control, "supported", "at most 2.5")
    same = 3 * OF_DIFFERENCE
    both = {"a": same, "b": same, "c": 0.0}
    yield rate("an effect that is as large in its control: supported", both, control, "supported", "2.5")
    just = {"a": SMALLEST, "b": 0.0, "c": 0.0}
    yield rate("an effect of just the smallest that matters: contradicted", just, one, "contradicted", "2.5")


def other_paths(generator: np.random.Generator, repeats: int) -> Iterator[Rate]:
    """Yield error rates and coverage of factorial effects and of intervals over queries."""
    settings = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    factors = dict.fromkeys("abc", ("off", "on"))
    hits, inside, total = 0, 0, 0
    for _ in range(repeats // 4):
        values = study(generator, dict.fromkeys("abcdefg", 0.0))["test/mAP"].to_numpy().reshape(8, SEEDS)
        effects = [row.effect for row in factorial_effects(settings, values, factors)]
        hits += sum(effect.p < LEVEL for effect in effects)
        inside += sum(effect.low <= 0 <= effect.high for effect in effects)
        total += len(effects)
    yield Rate("main effects and interactions of a 2³ factorial: p < .05", hits, total, "5 (3 to 7)")
    yield Rate("the same: the 95 % interval holds the truth", inside, total, "95 (93 to 97)")
    identities = np.repeat(np.arange(IDENTITIES), QUERIES_EACH)
    covered = 0
    for _ in range(repeats // 2):
        differences = (
            OF_IDENTITY * generator.standard_normal(IDENTITIES)[identities]
            + OF_QUERY * generator.standard_normal(len(identities))
            + OF_SEED_AND_QUERY * generator.standard_normal((SEEDS, len(identities)))
        )
        found = bootstrap_queries(differences, identities, generator=generator, draws=2_000)
        covered += found.low <= 0 <= found.high
    what = f"bootstrap over {IDENTITIES} identities of {QUERIES_EACH} queries: the 95 % interval holds the truth"
    yield Rate(what, covered, repeats // 2, "95 (93 to 97)")


def looking(generator: np.random.Generator, repeats: int) -> Iterator[Rate]:
    """Yield what adding seeds until significance does, with and without correcting for the looks."""
    looks = (3, 5, 8)
    plain = paid = 0
    for _ in range(repeats):
        values = study(generator, {"a": 0.0}, seeds=looks[-1])["test/mAP"].to_numpy().reshape(2, -1)
        p_values = [mean_effect((values[1] - values[0])[:seeds]).p for seeds in looks]
        plain += min(p_values) < LEVEL
        paid += any(p * (look + 1) < LEVEL for look, p in enumerate(p_values))
    yield Rate("a look at 3, 5 and 8 seeds, stop at p < .05: any", plain, repeats, "5 is not kept")
    yield Rate("the same, p times the looks so far (what a claim does)", paid, repeats, "5, and little above")


def power(generator: np.random.Generator, repeats: int) -> Iterator[Rate]:
    """Yield how often a true effect is found, from a quarter as many studies."""
    repeats = max(1, repeats // 4)
    for effect, seeds in ((1.0, 5), (1.5, 5), (2.0, 5), (2.5, 5), (2.5, 3), (1.0, 10)):
        planted = {"a": effect * OF_DIFFERENCE}
        found = sum(
            claimed(study(generator, planted, seeds), {"claim": {"effect": against("a")}}) == ["supported"]
            for _ in range(repeats)
        )
        wanted = "at least 80" if (effect, seeds) == (2.5, 5) else ""
        yield Rate(f"{effect} sd of the paired difference, {seeds} seeds, one claim: supported", found, repeats, wanted)
    for effect in (2.5, 4.0):
        arms = {"a": effect * OF_DIFFERENCE, **dict.fromkeys("bcdefg", 0.0)}
        claims = {arm: {"effect": against(arm)} for arm in arms}
        found = sum(claimed(study(generator, arms), claims)[0] == "supported" for _ in range(repeats))
        yield Rate(f"{effect} sd, {SEEDS} seeds, one of seven claims (Holm): supported", found, repeats, "")


def main() -> None:
    """Print the tables."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    generator = np.random.default_rng(0)
    tables = {
        "False positives": false_positives,
        "Wrong verdicts on claims": false_verdicts,
        "Factorial effects, and intervals over queries": other_paths,
        "Adding seeds after a look": looking,
        "Power": power,
    }
    for title, rates in tables.items():
        print(f"\n### {title}\n\n| what | rate, % | of | should be, % |\n|---|--:|--:|---|")
        for rate in rates(generator, repeats):
            print(rate, flush=True)


if __name__ == "__main__":
    main()
