"""Where a design stands: the settings of its centre, and the base with what was found or named of other axes."""

from collections.abc import Mapping
from dataclasses import replace

from reid_search.study.question.axes import Axis, Level
from reid_search.study.question.edits import changed
from reid_search.study.question.space import Settings, Space, Tuned


def around_best(
    space: Space, axes: Mapping[str, Axis], best: Settings, tuned: Tuned | None
) -> tuple[Space, dict[str, Level]]:
    """Return the space and the centre of a design around what a search found.

    Args:
        space: The base and the axes of the phase.
        axes: All axes of the study.
        best: The search's best settings.
        tuned: What it found for each level of an axis of this phase; that axis keeps the base's level in the centre,
            and every arm has the best settings of its own level.
    """
    centre = space.centre()
    if tuned is None or not set(tuned.held) <= set(space.axes):
        return with_settings(space, axes, best), centre | inside(best, space)
    own = tuned.settings_of(centre)
    outside = {labels: _outside(found, space) for labels, found in tuned.best.items()}
    return replace(space, tuned=replace(tuned, best=outside)), centre | inside(own, space)


def with_settings(space: Space, axes: Mapping[str, Axis], settings: Settings) -> Space:
    """Return a space whose base has what settings say of axes that the space does not have.

    Args:
        space: The base and the axes of a phase.
        axes: All axes of the study.
        settings: Settings of any of them.
    """
    return replace(space, base=changed(space.base, axes, _outside(settings, space)))


def inside(settings: Settings, space: Space) -> dict[str, Level]:
    """Return the settings of axes that a space has."""
    return {path: level for path, level in settings.items() if path in space.axes}


def _outside(settings: Settings, space: Space) -> dict[str, Level]:
    return {path: level for path, level in settings.items() if path not in space.axes}
