"""The trials that a search or a path may propose, as far as certain axes are concerned."""

from collections.abc import Callable, Iterator, Sequence

from reid_search.study.question.axes import Axis, Level
from reid_search.study.question.phases import AblatePhase, SearchPhase
from reid_search.study.question.question import Question, Share
from reid_search.study.question.space import Settings, cells
from reid_search.study.trial.trial import TrialConfig

_MOST_COMBINATIONS = 500


def proposed_trials(
    study: Question, phase: SearchPhase | AblatePhase, matters: Callable[[str], bool]
) -> Iterator[tuple[Settings, TrialConfig]]:
    """Yield trials with every combination of what may be proposed for some axes, or a sample of very many.

    Args:
        study: The study.
        phase: A search, or a path to its best.
        matters: Says whether the axis of a dotted path is one of them; axes with variants always are.
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
    for cell in cells(list(levels.values()), _MOST_COMBINATIONS):
        yield dict(zip(levels, cell, strict=True))


def _proposed(axis: Axis, grid: bool) -> Sequence[Level]:
    """Return what a search may propose: of a range of integers its ends, of another range its middle."""
    if grid or axis.span is None:
        return axis.design_levels if grid else axis.searched_levels
    low, high = axis.span
    ends = [low, high] if axis.integer else [(low + high) / 2]
    return [Level(str(end), end) for end in ends]
