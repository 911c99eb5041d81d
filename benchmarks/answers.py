"""How often verdicts are wrong, and how often they find a true effect, on simulated studies whose truth is known.

    uv run python benchmarks/answers.py                  # 1,000 studies a row, 500 where a study is run several times
    uv run python benchmarks/answers.py 100              # a quick look
    uv run python benchmarks/answers.py 1000 runs/mgn    # and what a study measured, with its effects taken out

Every number goes through the code that decides: `answer_claims` on logs as runs write them, `factorial_effects`. The
simulated mAP of an arm and seed is the arm's mean plus a seed effect that all arms share plus independent noise.
Effects are given in standard deviations of the paired difference, so that the rates hold for other spreads too. `t,
Holm` is what a paired t test with Holm's correction says of the same numbers. Prints Markdown.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from simulated_ablations import CHANCE, SMALLEST, Ablation, Contrast, Floats, against

from analysis import load_arms
from analysis.answers.claim_answer import ClaimAnswer
from analysis.answers.going_on import to_go_on
from analysis.statistics.factorial import factorial_effects
from analysis.statistics.family import holm
from analysis.statistics.looks import levels_of_plan
from reid_search.study.question.deciding import LEVEL, budget_of_claim, looks_between

Draw = Callable[[np.random.Generator, int], Floats]

MEAN, OF_SEED, OF_ARM = 0.50, 0.020, 0.045  # mAP; standard deviations of shared and of independent noise
OF_DIFFERENCE = OF_ARM * math.sqrt(2)
ARMS = "abcd"
SEEDS, MOST = 9, 20
NULL = {arm: Contrast(against(arm)) for arm in ARMS}
DECIDED = ("supported", "contradicted")
BOUND = f"at most {100 * LEVEL:g}"


def normal(generator: np.random.Generator, seeds: int) -> Floats:
    """Return noise with a standard deviation of 1."""
    return generator.standard_normal(seeds)


def skewed(generator: np.random.Generator, seeds: int) -> Floats:
    """Return noise with a standard deviation of 1 and a long tail below (an exponential distribution)."""
    return np.asarray(1 - generator.exponential(1.0, seeds))


def heavy_tailed(generator: np.random.Generator, seeds: int) -> Floats:
    """Return noise with a standard deviation of 1 and a few outliers (t with 3 degrees of freedom)."""
    return np.asarray(generator.standard_t(3, seeds) / math.sqrt(3))


def unequal(generator: np.random.Generator, seeds: int) -> Floats:
    """Return noise with a standard deviation of 3."""
    return 3 * generator.standard_normal(seeds)


@dataclass(frozen=True)
class Rate:
    """How often something happened, and how often it may, in words; `before` by the t test, of the same studies."""

    what: str
    hits: int
    of: int
    wanted: str
    before: int | None = None

    def __str__(self) -> str:
        """Return the line of a Markdown table."""
        rate = self.hits / self.of
        error = 1.96 * math.sqrt(rate * (1 - rate) / self.of)
        before = "–" if self.before is None else f"{100 * self.before / self.of:.1f}"
        return f"| {self.what} | {100 * rate:.1f} ± {100 * error:.1f} | {before} | {self.of:,} | {self.wanted} |"


def arms(
    generator: np.random.Generator,
    effects: Mapping[str, float],
    seeds: int = SEEDS,
    noise: Draw = normal,
    own: Mapping[str, Draw] | None = None,
) -> dict[str, Floats]:
    """Return the mAP of a baseline and of arms that differ from it by `effects`; some have noise of their `own`."""
    shared = OF_SEED * generator.standard_normal(seeds)
    draws = {"baseline": noise} | dict.fromkeys(effects, noise) | (dict(own) if own else {})
    return {arm: MEAN + effects.get(arm, 0.0) + shared + OF_ARM * draw(generator, seeds) for arm, draw in draws.items()}


def collapsing(generator: np.random.Generator, values: Floats, share: float) -> Floats:
    """Return the mAP of an arm of which a share of seeds ends at chance."""
    return np.where(generator.random(len(values)) < share, CHANCE, values)


def failing(generator: np.random.Generator, values: Floats, share: float, *, when_bad: bool) -> Floats:
    """Return the mAP of an arm of which about a share of seeds fails: at random, or those that would be bad."""
    bad = values < MEAN - 1.3 * OF_ARM if when_bad else generator.random(len(values)) < share
    return np.where(bad, np.nan, values)


def t_and_holm(values: Mapping[str, Floats], others: Sequence[str] = ARMS) -> list[str]:
    """Return what paired t tests with Holm's correction say of each arm against the baseline."""
    differences = [values[arm] - values["baseline"] for arm in others]
    kept = [difference[np.isfinite(difference)] for difference in differences]
    p_values = holm([float(stats.ttest_1samp(item, 0).pvalue) if len(item) > 1 else math.nan for item in kept])
    return [
        "undecided" if not p < LEVEL else "supported" if item.mean() > 0 else "contradicted"
        for p, item in zip(p_values, kept, strict=True)
    ]


def wrong(answers: Sequence[ClaimAnswer] | Sequence[str]) -> bool:
    """Say whether any claim of no effect was decided wrongly."""
    return any((item.verdict if isinstance(item, ClaimAnswer) else item) in DECIDED for item in answers)


def without_effect(generator: np.random.Generator, repeats: int) -> Iterator[Rate]:
    """Yield how often any of four claims of no effect is decided wrongly, by the noise of the arms."""

    def rate(what: str, draw: Callable[[], Mapping[str, Floats]], wanted: str = BOUND) -> Rate:
        hits = before = 0
        for _ in range(repeats):
            values = draw()
            hits += wrong(Ablation(values).run(NULL, SEEDS))
            before += wrong(t_and_holm(values))
        return Rate(what, hits, repeats, wanted, before)

    null = dict.fromkeys(ARMS, 0.0)
    yield rate("normal noise", lambda: arms(generator, null))
    yield rate("skewed noise", lambda: arms(generator, null, noise=skewed))
    yield rate("heavy tails", lambda: arms(generator, null, noise=heavy_tailed))
    wide = dict.fromkeys(ARMS, unequal)
    yield rate("the arms scatter three times as much as the baseline", lambda: arms(generator, null, own=wide))
    yield rate(
        "10 % of all seeds collapse",
        lambda: {arm: collapsing(generator, item, 0.1) for arm, item in arms(generator, null).items()},
    )
    yield rate(
        "20 % of the baseline's seeds collapse, of no other arm",
        lambda: {
            arm: collapsing(generator, item, 0.2 * (arm == "baseline")) for arm, item in arms(generator, null).items()
        },
    )
    yield rate(
        "10 % of all seeds fail",
        lambda: {arm: failing(generator, item, 0.1, when_bad=False) for arm, item in arms(generator, null).items()},
    )
    yield rate(
        "seeds of the arms fail where they would be bad (10 %)",
        lambda: {
            arm: item if arm == "baseline" else failing(generator, item, 0.1, when_bad=True)
            for arm, item in arms(generator, null).items()
        },
    )


def games(generator: np.random.Generator, repeats: int) -> Iterator[Rate]:
    """Yield how often somebody who wants a verdict finds one where there is none."""
    repeats, null = max(1, repeats // 2), dict.fromkeys(ARMS, 0.0)

    def rate(what: str, play: Callable[[], bool], wanted: str = BOUND) -> Rate:
        return Rate(what, sum(play() for _ in range(repeats)), repeats, wanted)

    def looks(plan: Sequence[int], taken: Sequence[int]) -> bool:
        study = Ablation(arms(generator, {"a": 0.0}, MOST))
        claims = {"a": NULL["a"]}
        return any(wrong(study.run(claims, seeds, looks=plan if seeds in plan else ())) for seeds in taken)

    plan = looks_between(7, MOST)
    at = ", ".join(map(str, plan))
    yield rate(f"looks at {at} seeds, as planned, until it is decided", lambda: looks(plan, plan))
    yield rate("9 seeds planned, then one more at a time up to 20", lambda: looks((9,), range(9, MOST + 1)))
    yield rate(f"a pilot with 3 seeds, then {at} as planned", lambda: looks(plan, (3, *plan)))

    def dropped() -> bool:
        study = Ablation(arms(generator, null))
        best = max(study.run(NULL, SEEDS), key=lambda answer: answer.effect.delta).claim.name
        return wrong(study.run({best: NULL[best]}, SEEDS))

    yield rate("the best of four claims kept, the others dropped", dropped)

    def flipped() -> bool:
        study = Ablation(arms(generator, null))
        first = {answer.claim.name: answer.effect.delta for answer in study.run(NULL, SEEDS)}
        chosen = {f"other {arm}": NULL[arm] if first[arm] > 0 else NULL[arm].opposite for arm in ARMS}
        return wrong(study.run(chosen, SEEDS))

    yield rate("four claims renamed and turned to where they point", flipped)

    def asked_again() -> bool:
        study = Ablation(arms(generator, null))
        found = False
        for data in range(3):
            study.values = arms(generator, null)
            found = found or wrong(study.run(NULL, SEEDS, data=data))
        return found

    yield rate("asked of three draws of people, until one decides", asked_again)


def controls(generator: np.random.Generator, repeats: int) -> Iterator[Rate]:
    """Yield the verdicts of a claim that has a control."""
    claim = {"claim": Contrast(against("a"), against("b", "c"))}

    def rate(what: str, effects: Mapping[str, float], verdict: str, wanted: str, seeds: int = SEEDS) -> Rate:
        found = [Ablation(arms(generator, effects, seeds)).run(claim, seeds)[0].verdict for _ in range(repeats)]
        return Rate(f"{what}: {verdict}", found.count(verdict), repeats, wanted)

    same = 3 * OF_DIFFERENCE
    yield rate("an effect as large under its control", {"a": same, "b": same, "c": 0.0}, "supported", BOUND)
    persists = "persists under the control"
    yield rate("the same", {"a": same, "b": same, "c": 0.0}, persists, "as often as possible")
    yield rate("no effect under either", dict.fromkeys("abc", 0.0), "supported", BOUND)
    yield rate("an effect of 3 sd that vanishes", {"a": same, "b": 0.0, "c": 0.0}, "supported", "as often as possible")
    yield rate("an effect of 3 sd that vanishes", {"a": same, "b": 0.0, "c": 0.0}, persists, BOUND)


def power(generator: np.random.Generator, repeats: int) -> Iterator[Rate]:
    """Yield how often a true effect is found in a family of four."""
    repeats = max(1, repeats // 2)
    for effect, seeds, noise in (
        (1.0, 9, normal), (1.5, 9, normal), (2.0, 9, normal), (2.5, 9, normal), (1.5, 15, normal), (2.0, 9, skewed),
        (2.0, 9, heavy_tailed),
    ):  # fmt: skip
        hits = before = 0
        for _ in range(repeats):
            values = arms(generator, {"a": effect * OF_DIFFERENCE, **dict.fromkeys("bcd", 0.0)}, seeds, noise)
            hits += Ablation(values).run(NULL, seeds)[0].verdict == "supported"
            before += t_and_holm(values)[0] == "supported"
        said = f"{effect:g} sd, {seeds} seeds, {noise.__name__.replace('_', ' ')} noise: supported"
        yield Rate(said, hits, repeats, "", before)
    small = 0.1 * SMALLEST / OF_DIFFERENCE
    hits = 0
    for _ in range(repeats):
        values = arms(generator, {"a": 0.0}, MOST)
        values["a"] = values["baseline"] + small * (values["a"] - values["baseline"])
        hits += Ablation(values).run({"a": NULL["a"]}, MOST)[0].verdict == "negligible"
    yield Rate(f"no effect, sd a tenth of the smallest effect, {MOST} seeds: negligible", hits, repeats, "")


def savings(generator: np.random.Generator, repeats: int) -> Iterator[Rate]:
    """Yield the share of trainings that `seeds: {from: 9, to: 20, until: decided}` needs of all claims at 20 seeds."""
    repeats, eight = max(1, repeats // 8), "abcdefgh"
    plan = looks_between(SEEDS, MOST)
    for what, true, wanted in (
        ("eight claims, every effect 2 sd", 8, "at most 55"),
        ("eight claims, four of 2 sd and four of none", 4, "at most 80"),
        ("eight claims, none true", 0, ""),
    ):
        trained = wrongly = 0
        for _ in range(repeats):
            effects = {arm: 2 * OF_DIFFERENCE * (index < true) for index, arm in enumerate(eight)}
            trained_now, answers = _until_decided(Ablation(arms(generator, effects, MOST)), plan, eight)
            trained += trained_now
            wrongly += wrong([item for item in answers if effects[item.claim.name] == 0])
        yield Rate(f"{what}: trainings", trained, repeats * MOST * (len(eight) + 1), wanted)
        if true < len(eight):
            yield Rate(f"{what}: any decided wrongly", wrongly, repeats, BOUND)


def _until_decided(study: Ablation, plan: Sequence[int], names: str) -> tuple[int, list[ClaimAnswer]]:
    claims = {arm: Contrast(against(arm)) for arm in names}
    seeds = dict.fromkeys(["baseline", *names], plan[0])
    answers = study.run(claims, plan[0], looks=plan, seeds_of=seeds)
    for look in plan[1:]:
        further = [answer.claim.name for answer in to_go_on(answers) if seeds[answer.claim.name] == max(seeds.values())]
        if not further:
            break
        seeds |= dict.fromkeys(["baseline", *further], look)
        answers = study.run(claims, look, looks=plan, seeds_of=seeds)
    return sum(seeds.values()), answers


def other_tables(generator: np.random.Generator, repeats: int) -> Iterator[Rate]:
    """Yield error rate and coverage of factorial effects, which are exploratory."""
    settings = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    factors = dict.fromkeys("abc", ("off", "on"))
    hits, inside, total = 0, 0, 0
    for _ in range(repeats // 4):
        values = np.stack(list(arms(generator, dict.fromkeys("abcdefg", 0.0), 5).values()))
        effects = [row.effect for row in factorial_effects(settings, values, factors)]
        hits += sum(effect.p < LEVEL for effect in effects)
        inside += sum(effect.low <= 0 <= effect.high for effect in effects)
        total += len(effects)
    yield Rate("main effects and interactions of a 2³ factorial, 5 seeds: p < .05", hits, total, "5 (3 to 7)")
    yield Rate("the same: the 95 % interval holds the truth", inside, total, "95 (93 to 97)")


def measured(generator: np.random.Generator, repeats: int, study: str) -> Iterator[Rate]:
    """Yield how often a study whose arms do nothing is decided wrongly, by spreads as real training has them.

    Each arm's seeds are those that a study measured, less their mean, drawn with replacement.
    """
    table: pd.DataFrame = load_arms(study)
    table = table[(table["readout"] == "default") & (table["status"] == "finished")].drop_duplicates(["arm", "seed"])
    found = table.pivot(index="seed", columns="arm", values="test/mAP").dropna(axis=1)
    spread = {str(arm): (found[arm] - found[arm].mean()).to_numpy() for arm in found.columns}
    others = [arm for arm in spread if arm != "baseline"]
    claims = {arm: Contrast(against(arm)) for arm in others}
    hits = before = 0
    for _ in range(repeats):
        values = {arm: MEAN + generator.choice(item, SEEDS) for arm, item in spread.items()}
        hits += wrong(Ablation(values).run(claims, SEEDS))
        before += wrong(t_and_holm(values, others))
    seeds = len(found)
    yield Rate(f"{len(others)} claims of no effect, spreads of {seeds} seeds", hits, repeats, "at most 6", before)


def spending(*_: object) -> Iterator[str]:
    """Yield what each planned look spends, exactly: the sums bound the error."""
    for claims in (1, 7):
        for looks in ((SEEDS,), looks_between(SEEDS, MOST)):
            levels = levels_of_plan(looks, budget_of_claim(claims))
            each = ", ".join(f"{seeds}: {100 * level:.3f}" for seeds, level in levels.items())
            yield f"| {claims} | {each} | {100 * budget_of_claim(claims):.3f} |"


def main() -> None:
    """Print the tables."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    generator = np.random.default_rng(0)
    tables: dict[str, Callable[[np.random.Generator, int], Iterator[Rate]]] = {
        "Any of four claims without an effect decided wrongly, nine seeds": without_effect,
        "The same, by somebody who tries": games,
        "Controls, nine seeds": controls,
        "Power, one of four claims": power,
        "Seeds until decided": savings,
        "Exploratory tables": other_tables,
    }
    if len(sys.argv) > 2:
        study = sys.argv[2]
        tables["Spreads as measured, nothing true"] = lambda draw, count: measured(draw, max(count, 2_000), study)
    for title, rates in tables.items():
        print(f"\n### {title}\n\n| what | rate, % | t, Holm, % | of | should be, % |\n|---|--:|--:|--:|---|")
        for rate in rates(generator, repeats):
            print(rate, flush=True)
    print("\n### What a look may spend\n\n| claims | seeds: level, % | all looks of a claim, % |\n|--:|---|--:|")
    print("\n".join(spending()))


if __name__ == "__main__":
    main()
