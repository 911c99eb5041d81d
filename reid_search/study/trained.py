"""Refusing readouts of what no loss trains, in the base, in arms, and in what a search can propose."""

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Sequence

from reid_search.errors import StudyError, nearest
from reid_search.study.axes import Axis, Level
from reid_search.study.document import Document, split_path
from reid_search.study.phases import AblatePhase, SearchPhase
from reid_search.study.shares import Share
from reid_search.study.space import Space
from reid_search.study.study import Study
from reid_search.study.trial import TrialConfig

_COMBINATIONS_CHECKED = 500


def check_base_is_trained(base: TrialConfig, document: Document) -> None:
    """Refuse a readout of the base that reads what no loss trains.

    Raises:
        StudyError: The first such readout that is no control, with its place.
    """
    for name, problem in _problems(base):
        place = document.place(("base", "readouts", name, "taps"))
        raise StudyError(f"{place}: base.readouts.{name}.taps: {problem}")


def check_phase_is_trained(study: Study, phase: SearchPhase | AblatePhase) -> None:
    """Refuse a phase of which an arm or a proposal reads what no loss trains.

    Arms around a search's best are checked around the base, as they are planned. Of a search with very many
    combinations of levels, a sample is checked.

    Raises:
        StudyError: The first readout of an arm or proposal that is no control.
    """
    for label, config in _trials(study, phase):
        for name, problem in _problems(config):
            raise StudyError(f"{label}: readouts.{name}.taps: {problem}")


def _problems(config: TrialConfig) -> Iterator[tuple[str, str]]:
    """Yield each readout that should not be read, with the first of its taps that is not trained."""
    for name, readout in config.readouts.items():
        bare = {} if readout.control else config.untrained_taps(name)
        for tap, modules in itertools.islice(bare.items(), 1):
            trained = config.trained_taps
            alike = [other.key for other in trained if other.scope == tap.scope] or [other.key for other in trained]
            untrained = f"'{tap.key}' passes through {', '.join(sorted(modules))}, which no loss at work trains"
            remedies = "place a loss on it, mark the readout `control: true` if that is meant, or read a trained tap"
            yield name, f"{untrained}; {remedies}; {nearest(tap.key, alike)}"


def _trials(study: Study, phase: SearchPhase | AblatePhase) -> Iterator[tuple[str, TrialConfig]]:
    if isinstance(phase, AblatePhase) and not phase.description.leads_to_best:
        yield from ((f"arm '{arm.name}'", arm.config) for arm in study.arms(phase))
        return
    grid = isinstance(phase, SearchPhase) and phase.sampler == "grid"
    parts = [Share("", {}, study.space(phase))] if isinstance(phase, AblatePhase) else study.shares(phase)
    for part in parts:
        space = part.space
        for cell in _combinations(space, part.held, grid):
            settings = space.active({**cell, **part.held})
            shown = ", ".join(f"{path}={level.label}" for path, level in settings.items())
            yield shown or "base", space.config(settings)


def _combinations(space: Space, held: Iterable[str], grid: bool) -> Iterator[dict[str, Level]]:
    """Yield combinations of what is proposed for the axes that decide what is trained and what is read."""
    chosen = {path for path in space.axes if _matters(space, path)} - set(held)
    chosen |= {name for path in chosen for name in space.axes[path].when if name in space.axes} - set(held)
    levels = {path: _proposed(axis, grid) for path, axis in space.axes.items() if path in chosen}
    cells: Iterable[Sequence[Level]] = itertools.product(*levels.values())
    if math.prod(map(len, levels.values())) > _COMBINATIONS_CHECKED:
        draw = random.Random(0)
        cells = ([draw.choice(choices) for choices in levels.values()] for _ in range(_COMBINATIONS_CHECKED))
    yield from (dict(zip(levels, cell, strict=True)) for cell in cells)


def _proposed(axis: Axis, grid: bool) -> Sequence[Level]:
    """Return what a search may propose; of a range its ends, or what lies between where an end is never met."""
    if grid or axis.span is None:
        return axis.design_levels if grid else axis.searched_levels
    low, high = axis.span
    ends = [low, high] if axis.integer else [(low + high) / 2]
    return [Level(str(end), end) for end in ends]


def _matters(space: Space, path: str) -> bool:
    """Say whether an axis may decide which taps there are, which are read, and which a loss sits on."""
    if space.axes[path].variants is not None:
        return True
    top, *rest = split_path(path)
    if top == "losses":
        return len(rest) == 1 or rest[-1] in ("kind", "on", "weight")
    return top in ("model", "readouts") or rest[:1] == ["stages"]
