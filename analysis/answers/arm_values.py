"""What each arm of an ablation reached over its seeds, for those who show arms and not trials."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reid_search.records import ArmAsked, StudyState
from reid_search.study.metrics import BESIDE, SINGLE_SHOT_BESIDE

from ..statistics.effect import Effect, mean_effect


@dataclass(frozen=True)
class ArmValue:
    """An arm of an ablation over its seeds, by its own readout.

    Attributes:
        asks: One a seed.
        metric: What it is judged by, such as `test/mAP`.
        over_seeds: Mean of the finished seeds, as in the report's table of arms, with its 95 % t interval; in [0, 1].
        beside: Mean of each metric that is shown beside it.
    """

    phase: str
    arm: str
    asks: Sequence[ArmAsked]
    metric: str
    over_seeds: Effect
    beside: dict[str, float]


def arm_values(state: StudyState) -> list[ArmValue]:
    """Return every arm that the ablations of a study ask for, in their order."""
    found: dict[tuple[str, str], dict[int, ArmAsked]] = {}
    for phase, asks in state.ablations.items():
        for ask in asks:
            found.setdefault((phase, ask.arm), {})[ask.seed] = ask
    return [_value(state, phase, arm, list(asks.values())) for (phase, arm), asks in found.items()]


def _value(state: StudyState, phase: str, arm: str, asks: Sequence[ArmAsked]) -> ArmValue:
    metric, split = state.metric(asks[0]), asks[0].evaluate
    beside = {name: _over_seeds(state, asks, name) for name in (f"{split}/{BESIDE}", f"{split}/{SINGLE_SHOT_BESIDE}")}
    means = {name: effect.delta for name, effect in beside.items() if effect.n}
    return ArmValue(phase, arm, asks, metric, _over_seeds(state, asks, metric), means)


def _over_seeds(state: StudyState, asks: Sequence[ArmAsked], metric: str) -> Effect:
    values = [value for ask in asks if (value := state.value(ask, metric)) is not None]
    return mean_effect(np.asarray(values, dtype=np.float64))
