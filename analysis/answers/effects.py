"""What each factor of a factorial design is worth over all its combinations, and which factors interact.

A contrast compares one arm with the centre; an effect says what a level is worth on average over the other factors.
Effects are exploratory: Holm's method counts all that a phase shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reid_search.records import Status
from reid_search.study import BASELINE

from ..reading.comparability import is_within_protocols, protocols_of
from ..statistics.factorial import FactorialEffect, Ints, factorial_effects
from ..statistics.family import holm
from ..statistics.verdict import of_contrast
from .collapse import flags
from .groups import Settings

_BETWEEN = " × "
_COLUMNS = [
    "effect", "level", "reference", "n", "delta", "low", "high", "p", "p_holm", "verdict", "sd", "detectable",
    "combinations", "matched", "aliases", "family", "note",
]  # fmt: skip


@dataclass(frozen=True)
class EffectsSummary:
    """The effects of a design.

    Attributes:
        table: One row per effect, main effects first: `effect` (its axes, joined by ×), `level` and `reference` of each
            axis, `n` (seeds), `delta`, `low`, `high`, `p`, `p_holm`, `verdict`, `sd`, `detectable`, `combinations` (of
            the other axes, over which it is averaged), `matched` (whether both sides have the same ones), `aliases`
            (the interactions that this design cannot tell from it, as text), `family`, `note`.
        left_out: Effects that would compare numbers under different protocols, as `axis = level`.
        unlearnt: Effects that would average over arms that learnt nothing, likewise.
    """

    table: pd.DataFrame
    left_out: tuple[str, ...] = ()
    unlearnt: tuple[str, ...] = ()


def summarise_effects(
    rows: pd.DataFrame, settings: Settings, metric: str, smallest_effect: float
) -> EffectsSummary | None:
    """Return the effects of a design; None if no axis varies or no effect can be measured.

    The reference of an axis is the baseline's level, or the first if the baseline has none. An effect is shown if each
    of its differences stays within one protocol: a data axis has no main effect, but it has interactions.

    Args:
        rows: Rows of `load_arms` of one phase and readout, of every protocol.
        settings: Settings of each arm.
        metric: Column to compare.
        smallest_effect: Smallest difference of interest, in the metric's unit.
    """
    protocols = protocols_of(rows)
    arms = [arm for arm in dict.fromkeys(rows["arm"]) if arm in protocols]
    factors = factors_of(list(dict.fromkeys(rows["arm"])), settings)
    if not arms or not factors:
        return None
    values = rows[metric].where(rows["status"] == Status.FINISHED)
    by_seed = rows.assign(value=values).pivot(index="arm", columns="seed", values="value")
    measured = by_seed.reindex(arms).to_numpy(np.float64)
    effects = factorial_effects(_coded(arms, settings, factors), measured, factors)
    if not effects:
        return None
    flagged = flags(rows)
    shown, left_out, unlearnt = [], [], []
    for effect in effects:
        weights = _weights(effect, arms)
        if not is_within_protocols(weights, protocols):
            left_out.append(_described(effect))
        elif flagged.keys() & weights:
            unlearnt.append(_described(effect))
        else:
            shown.append(effect)
    return EffectsSummary(_table(shown, smallest_effect), tuple(left_out), tuple(unlearnt))


def factors_of(arms: Sequence[str], settings: Settings) -> dict[str, list[str]]:
    """Return the axes in which arms differ, each with its levels, the baseline's first."""
    base = settings.get(BASELINE, {})
    paths = dict.fromkeys(path for arm in arms for path in settings[arm])
    factors: dict[str, list[str]] = {}
    for path in paths:
        levels = dict.fromkeys(settings[arm][path] for arm in arms if path in settings[arm])
        if len(levels) > 1:
            factors[path] = sorted(levels, key=lambda level: level != base.get(path))
    return factors


def _coded(arms: Sequence[str], settings: Settings, factors: Mapping[str, Sequence[str]]) -> Ints:
    """Return the level of each factor in each arm `(arms, factors)`; −1 if the arm does not have the factor."""
    rows = [
        [levels.index(settings[arm][path]) if path in settings[arm] else -1 for path, levels in factors.items()]
        for arm in arms
    ]
    return np.array(rows, dtype=np.int64).reshape(len(arms), len(factors))


def _weights(effect: FactorialEffect, arms: Sequence[str]) -> dict[str, float]:
    return {arm: weight for arm, weight in zip(arms, effect.weights, strict=True) if weight}


def _described(effect: FactorialEffect) -> str:
    pairs = zip(effect.factors, effect.levels, strict=True)
    return _BETWEEN.join(f"{factor} = {level}" for factor, level in pairs)


def _table(effects: Sequence[FactorialEffect], smallest_effect: float) -> pd.DataFrame:
    adjusted = holm([found.effect.p for found in effects])
    family = sum(p == p for p in adjusted)
    rows = [
        {
            "effect": _BETWEEN.join(found.factors),
            "level": _BETWEEN.join(found.levels),
            "reference": _BETWEEN.join(found.references),
            **{name: getattr(found.effect, name) for name in ("n", "delta", "low", "high", "p", "sd", "detectable")},
            "p_holm": p_holm,
            "verdict": of_contrast(found.effect, p_holm, smallest_effect),
            "combinations": found.combinations,
            "matched": found.matched,
            "aliases": "; ".join(_BETWEEN.join(alias) for alias in found.aliases),
            "family": family,
            "note": found.effect.note,
        }
        for found, p_holm in zip(effects, adjusted, strict=True)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)
