"""The trials that a search or a path may come to, as far as some of their entries are concerned."""

import itertools
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence

from reid_search.study.question.axes import Axis, Level
from reid_search.study.question.phases import AblatePhase, SearchPhase
from reid_search.study.question.question import Question
from reid_search.study.question.shares import Share
from reid_search.study.question.space import Settings
from reid_search.study.trial.trial import TrialConfig

_MOST_COMBINATIONS = 500


def proposed_trials(
    study: Question, phase: SearchPhase | AblatePhase, matters: Callable[[str], bool]
) -> Iterator[tuple[Settings, TrialConfig]]:
    """Yield trials with every combination of what may be proposed for some axes; of very many, a sample.

    Args:
        study: The study.
        phase: A search, or a path to the best of one.
        matters: Says of the dotted path of an axis whether it is one of them; an axis with variants always is.
    """
    shares, grid = [Share("", {}, study.space(phase))], False
    if isinstance(phase, SearchPhase):
        shares, grid = study.shares(phase), phase.sampler.of_levels
    for share in shares:
        for cell in _combinations(share, matters, grid):
            settings = share.space.active({**cell, **share.held})
            yield settings, share.space.config(settings)


def _combinations(share: Share, matters: Callable[[str], bool], grid: bool) -> Iterator[dict[str, Level]]:
    axes = share.space.axes
    chosen = {path for path, axis in axes.items() if axis.variants is not None or matters(path)}
    chosen |= {name for path in chosen for name in axes[path].when if name in axes}
    levels = {path: _proposed(axis, grid) for path, axis in axes.items() if path in chosen - set(share.held)}
    cells: Iterable[Sequence[Level]] = itertools.product(*levels.values())
    if math.prod(map(len, levels.values())) > _MOST_COMBINATIONS:
        draw = random.Random(0)
        cells = ([draw.choice(choices) for choices in levels.values()] for _ in range(_MOST_COMBINATIONS))
    yield from (dict(zip(levels, cell, strict=True)) for cell in cells)


def _proposed(axis: Axis, grid: bool) -> Sequence[Level]:
    """Return what a search may propose; of a range its ends, or what lies between where an end is never met."""
    if grid or axis.span is None:
        return axis.design_levels if grid else axis.searched_levels
    low, high = axis.span
    ends = [low, high] if axis.integer else [(low + high) / 2]
    return [Level(str(end), end) for end in ends]
