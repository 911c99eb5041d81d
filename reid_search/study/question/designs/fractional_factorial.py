"""The fractional factorial of a study's axes: each is a factor that is off or on."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from reid_search.errors import StudyError
from reid_search.study.question.axes import Axis, Level
from reid_search.study.question.designs.aberration import MOST_FACTORS
from reid_search.study.question.designs.arms import Arm
from reid_search.study.question.designs.design import Asked, Design, Outline, around_centre, check_levels
from reid_search.study.question.designs.fractional import (
    DEFAULT_RESOLUTION,
    FractionalDesign,
    alias_structure,
    effect_name,
    fractional_design,
)
from reid_search.study.question.space import Settings, Space


def _settings(space: Space, around: Settings, resolution: int) -> Iterator[Settings]:
    """Yield what the design stands around, then the runs of a regular fraction of every combination of off and on.

    Where the centre has a level that is neither off nor on (a number that a search found), it stands beside the
    fraction; else it is one of its runs.

    Args:
        space: The base and the axes.
        around: The settings that exist where the design stands.
        resolution: Shortest word of the defining relation: 3, 4 or 5.

    Raises:
        StudyError: An axis has not two levels, or exists under a condition on another.
    """
    yield around
    pairs = {path: _off_and_on(space, path) for path in around}
    for run in _fraction(space, around, resolution).runs:
        yield {path: pair[run >> factor & 1] for factor, (path, pair) in enumerate(pairs.items())}


def _fraction(space: Space, around: Settings, resolution: int) -> FractionalDesign:
    """Return the design behind `_settings`: of all fractions of the same aliases the one with its centre.

    The axes that exist around the centre are its factors, in their order, and a factor is on where its bit is set.

    Raises:
        StudyError: As `_settings`.
    """
    _check_two_levels(space)
    on = [factor for factor, path in enumerate(around) if around[path] == _off_and_on(space, path)[1]]
    return fractional_design(len(around), resolution, through=sum(1 << factor for factor in on))


def _check_two_levels(space: Space) -> None:
    """Make sure that every axis is off or on in every run, without which effects would not be orthogonal.

    Raises:
        StudyError: An axis has not two levels, exists under a condition on another, or there are too many.
    """
    check_levels(space)
    for path, axis in space.axes.items():
        if len(axis.design_levels) != 2:
            raise StudyError(f"axes.{path}: {_not_two(axis)}")
        named = [name for name in axis.when if name in space.axes]
        if named:
            raise StudyError(
                f"axes.{path}.when: it names '{named[0]}', but in a fractional factorial every axis exists in every "
                "run; leave one of the two out of the phase's `axes`, or take design: factorial"
            )
    if len(space.axes) > MOST_FACTORS:
        raise StudyError(
            f"{len(space.axes)} axes: a fractional factorial takes at most {MOST_FACTORS}; name fewer in the phase's "
            "`axes`"
        )


def _off_and_on(space: Space, path: str) -> tuple[Level, Level]:
    """Return the two levels of an axis, off first; the first level is off where neither is what `off` means here."""
    first, second = space.axes[path].design_levels
    return (second, first) if space.off_level(path) == second else (first, second)


def _not_two(axis: Axis) -> str:
    labels = [level.label for level in axis.design_levels]
    found = f"a fractional factorial needs exactly two levels, and this axis has {len(labels)} ({', '.join(labels)})"
    if len(labels) < 2:
        return f"{found}; add one, or leave the axis out of the phase's `axes`"
    return f"{found}; name two of them, for example levels: [{labels[0]}, {labels[-1]}]"


def _arms(asked: Asked) -> list[Arm]:
    return around_centre(partial(_settings, resolution=asked.resolution or DEFAULT_RESOLUTION))(asked)


def _outline(asked: Asked) -> Outline:
    factors = asked.space.active(asked.centre)
    drawn = _fraction(asked.space, factors, asked.resolution or DEFAULT_RESOLUTION)
    attained = "the full factorial" if drawn.resolution is None else f"resolution {drawn.resolution}"
    return Outline(
        f"{DESIGN.name} ({len(drawn.runs)} runs, {attained}) around {asked.around}",
        aliases=tuple(_equation(group, list(factors)) for group in alias_structure(drawn).groups),
    )


def _equation(group: Mapping[int, int], axes: Sequence[str]) -> str:
    return " = ".join(f"{'-' if sign < 0 else ''}{effect_name(effect, axes)}" for effect, sign in group.items())


DESIGN = Design(
    "fractional_factorial",
    "a fraction of every combination",
    _arms,
    check=_check_two_levels,
    outlined=_outline,
    resolution=DEFAULT_RESOLUTION,
    has_effects=True,
)
