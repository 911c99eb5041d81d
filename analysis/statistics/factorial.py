"""Main effects and interactions of a factorial design, measured within each seed.

An effect is a weighted sum of the arms, computed once per seed, so seeds are blocks and the seed stays the unit of
inference. If there are arms that differ only in the factor, it is their mean difference (Montgomery, Design and
Analysis of Experiments, chapters 5 and 6). A fraction of a factorial has none: there it is the difference between the
means of the two sides, if every other factor is balanced between them, and the interactions aliased with it are named
(chapter 8).
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reid_search.errors import RequestError

from .effect import ROUNDING, Effect, Floats, mean_effect

Ints = npt.NDArray[np.integer]
Term = tuple[tuple[int, int], ...]  # (factor, level) of each factor that an effect is about


@dataclass(frozen=True)
class FactorialEffect:
    """A main effect of one factor, or the interaction of two.

    Attributes:
        factors: Name of the factor, or of both.
        levels: Level of each that is compared with its reference.
        references: Reference of each.
        effect: The mean over seeds. An interaction is the effect of the first factor's level with the second at its
            level, minus that with the second at its reference.
        combinations: Combinations of the other factors that it is averaged over; in a fraction, arms per side.
        matched: Whether both sides have the same combinations. False only in a fraction.
        aliases: Two-factor interactions that this design cannot tell from it; it is correct only if they are 0.
        weights: Weight of each arm `(arms,)`, in the order given; 0 if it is not used.
    """

    factors: tuple[str, ...]
    levels: tuple[str, ...]
    references: tuple[str, ...]
    effect: Effect
    combinations: int
    matched: bool = True
    aliases: tuple[tuple[str, str], ...] = ()
    weights: tuple[float, ...] = field(default=(), repr=False, compare=False)


def factorial_effects(settings: Ints, values: Floats, factors: Mapping[str, Sequence[str]]) -> list[FactorialEffect]:
    """Return the main effect of every level but the reference, then the interactions of every two factors.

    An effect is measured in the seeds in which every arm that it needs is finished. An arm without a finished seed is
    treated as if the design did not have it: combinations that need it are left out, and `combinations` says how many
    remain. An effect without any combination is left out.

    Args:
        settings: Level of each factor in each arm `(arms, factors)`, an index into its levels; −1 if the arm does not
            have the factor, as a model without parts has no `parts`.
        values: One measurement per arm and seed `(arms, seeds)`; NaN if not finished.
        factors: Levels of each factor by name, in the order of the columns; the first level is the reference.

    Raises:
        RequestError: Shapes do not match, a level is out of range, or two arms have the same settings.
    """
    settings, values = np.asarray(settings, dtype=np.int64), np.asarray(values, dtype=np.float64)
    _check(settings, values, factors)
    alive = np.asarray(np.isfinite(values).any(axis=1))
    rows = [_row(settings, values, alive, factors, term) for term in _terms(factors)]
    return [row for row in rows if row is not None]


def _check(settings: Ints, values: Floats, factors: Mapping[str, Sequence[str]]) -> None:
    if settings.ndim != 2 or values.ndim != 2 or settings.shape != (len(values), len(factors)):
        raise RequestError(
            f"settings of shape {settings.shape} and values of shape {values.shape}: expected (arms, {len(factors)}) "
            "and (arms, seeds)"
        )
    for column, (name, levels) in zip(settings.T, factors.items(), strict=True):
        wrong = column[(column < -1) | (column >= len(levels))]
        if len(wrong):
            raise RequestError(f"factor '{name}' has no level {wrong[0]}; allowed: -1 to {len(levels) - 1}")
    found, counts = np.unique(settings, axis=0, return_counts=True)
    if (counts > 1).any():
        raise RequestError(f"two arms have the settings {found[counts > 1][0].tolist()}; give each arm once")


def _terms(factors: Mapping[str, Sequence[str]]) -> Iterator[Term]:
    each = [[(factor, level) for level in range(1, len(levels))] for factor, levels in enumerate(factors.values())]
    yield from ((single,) for singles in each for single in singles)
    for first, second in itertools.combinations(each, 2):
        yield from itertools.product(first, second)


def _row(
    settings: Ints, values: Floats, alive: npt.NDArray[np.bool_], factors: Mapping[str, Sequence[str]], term: Term
) -> FactorialEffect | None:
    everywhere = np.zeros(len(alive))
    settings, values = settings[alive], values[alive]
    signs = _signs(settings, term)
    weights = _matched(settings, signs, term)
    matched = bool(weights.any())
    if not matched:
        weights = _balanced(settings, signs, term)
    needed = np.flatnonzero(weights)
    if not len(needed):
        return None
    effects = weights[needed] @ values[needed]  # not finite in a seed in which a needed arm is not finished
    effect = mean_effect(effects)
    if effect.n == 0:
        effect = Effect(0, note="no seed is finished in every arm that it needs")
    everywhere[alive] = weights
    names, levels = list(factors), list(factors.values())
    return FactorialEffect(
        factors=tuple(names[factor] for factor, _ in term),
        levels=tuple(levels[factor][level] for factor, level in term),
        references=tuple(levels[factor][0] for factor, _ in term),
        effect=effect,
        combinations=round(1 / np.abs(weights[needed]).max()),
        matched=matched,
        aliases=tuple((names[first], names[second]) for first, second in _aliases(settings, weights, term)),
        weights=tuple(everywhere.tolist()),
    )


def _signs(settings: Ints, term: Term) -> Ints:
    """Return the sign of each arm in a difference, or difference of differences, `(arms,)`; 0 if it is not used."""
    sides = [(settings[:, factor] == level).astype(int) - (settings[:, factor] == 0) for factor, level in term]
    return np.asarray(np.prod(sides, axis=0))


def _matched(settings: Ints, signs: Ints, term: Term) -> Floats:
    """Return the weight of each arm `(arms,)`, from the combinations of the other factors that have every side."""
    others = np.delete(settings, [factor for factor, _ in term], axis=1)
    _, group = np.unique(others, axis=0, return_inverse=True)
    sides = np.bincount(group, weights=np.abs(signs))
    complete = sides == 2 ** len(term)
    return np.asarray(np.where(complete[group], signs, 0) / max(1, int(complete.sum())))


def _balanced(settings: Ints, signs: Ints, term: Term) -> Floats:
    """Return the weight of each arm `(arms,)` in the difference of the sides' means; 0 if these are not comparable.

    They are comparable if every side has the same share of each level of every other factor, whose main effects then
    cancel.
    """
    sides = list(itertools.product(*((0, level) for _, level in term)))
    own = settings[:, [factor for factor, _ in term]]
    members = np.array([(own == side).all(axis=1) for side in sides])  # (sides, arms)
    sizes = members.sum(axis=1)
    others = np.delete(settings, [factor for factor, _ in term], axis=1)
    if not sizes.all():
        return np.zeros(len(signs))
    shares = members / sizes[:, None]
    fair = all(
        np.ptp(shares @ (levels == level), axis=0) <= ROUNDING for levels in others.T for level in np.unique(levels)
    )
    return np.asarray(signs * shares.sum(axis=0)) if fair else np.zeros(len(signs))


def _aliases(settings: Ints, weights: Floats, term: Term) -> list[tuple[int, int]]:
    """Return the pairs of other factors whose interaction contributes to the weighted sum."""
    others = set(range(settings.shape[1])) - {factor for factor, _ in term}
    width = int(settings.max(initial=0)) + 2
    found = []
    for first, second in itertools.combinations(sorted(others), 2):
        labels = (settings[:, first] + 1) * width + settings[:, second] + 1
        if (np.abs(np.bincount(labels, weights=weights)) > ROUNDING).any():
            found.append((first, second))
    return found
