"""Arms that a study names, so that a design can stand around them: settings of axes over the base."""

from collections.abc import Mapping
from typing import Any

from reid_search.errors import StudyError, nearest
from reid_search.study.component import EntryError
from reid_search.study.question.axes import Axis, Level, label_of
from reid_search.study.question.space import Space

NAMES_TAKEN = ("base", "best")


def named_settings(content: Mapping[str, Any], axes: Mapping[str, Axis]) -> dict[str, Level]:
    """Return the settings of a named arm, in the order of the axes.

    Args:
        content: Axis path → label or value of one of its levels or, for a range, a number inside.
        axes: The axes of the study.
    """
    found = {path: axes[path].setting(value) for path, value in content.items()}
    return {path: level for path in axes if (level := found.get(path)) is not None}


def check_named_arms(arms: Mapping[str, Mapping[str, Any]], axes: Mapping[str, Axis]) -> None:
    """Make sure that every named arm sets axes to levels that they have.

    Raises:
        EntryError: A name means something else, a path is no axis, or a value is no level of it.
    """
    for name, content in arms.items():
        if name in NAMES_TAKEN:
            message = f"'{name}' is taken: `around: {name}` does not mean a named arm; give it another name"
            raise EntryError(message, "arms", name)
        for path, value in content.items():
            if path not in axes:
                raise EntryError(f"unknown axis '{path}'; {nearest(path, axes)}", "arms", name, path)
            if axes[path].setting(value) is None:
                raise EntryError(_no_level(axes[path], value), "arms", name, path)


def check_named_trials(arms: Mapping[str, Mapping[str, Any]], space: Space) -> None:
    """Make sure that every named arm is a valid trial in which every axis that it sets exists.

    Args:
        arms: The named arms, whose paths and values are right.
        space: The base and all axes of the study.

    Raises:
        EntryError: An arm is not.
    """
    for name, content in arms.items():
        settings = named_settings(content, space.axes)
        try:
            chosen = space.completed(settings)
        except StudyError as error:
            raise EntryError(str(error), "arms", name) from None
        for path in settings:
            if path not in chosen:
                when = ", ".join(f"{entry}: {label_of(value)}" for entry, value in space.axes[path].when.items())
                message = f"this axis exists only when {when}, which this arm does not meet; set that, or leave it out"
                raise EntryError(message, "arms", name, path)


def _no_level(axis: Axis, value: object) -> str:
    labels = [level.label for level in axis.named_levels]
    span = axis.span
    if span is None:
        return f"{value!r} is no level of this axis; {nearest(label_of(value), labels)}"
    inside = f"a {'whole ' if axis.integer else ''}number from {label_of(span[0])} to {label_of(span[1])}"
    allowed = f"{nearest(label_of(value), labels)}, or {inside}" if labels else f"allowed: {inside}"
    return f"{value!r} is no level of this axis; {allowed}"
