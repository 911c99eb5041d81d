"""Arms that a study names as centres of designs: settings of axes over the base."""

from collections.abc import Mapping

from reid_search.errors import StudyError
from reid_search.study.component import EntryError, label_of
from reid_search.study.question.axes import Axis, Level, check_setting
from reid_search.study.question.space import Space

NAMES_TAKEN = ("base", "best")


def named_settings(content: Mapping[str, object], axes: Mapping[str, Axis]) -> dict[str, Level]:
    """Return the levels that content names for some axes, in the order of the axes.

    Args:
        content: Axis path → label or value of one of its levels or, for a range, a number inside.
        axes: The axes; others are ignored.
    """
    found = {path: axes[path].setting(value) for path, value in content.items() if path in axes}
    return {path: level for path in axes if (level := found.get(path)) is not None}


def check_named_arms(arms: Mapping[str, Mapping[str, object]], axes: Mapping[str, Axis]) -> None:
    """Check the names of arms, and that they set existing axes to existing levels.

    Raises:
        EntryError: A name is reserved, a path is not an axis, or a value is not a level of it.
    """
    for name, content in arms.items():
        if name in NAMES_TAKEN:
            message = f"'{name}' is reserved: `around: {name}` does not mean a named arm; choose another name"
            raise EntryError(message, "arms", name)
        for path, value in content.items():
            check_setting(axes, path, value, ("arms", name, path))


def check_named_trials(arms: Mapping[str, Mapping[str, object]], space: Space) -> None:
    """Check that every named arm is a valid trial in which each axis that it sets exists.

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
                message = f"this axis exists only under {when}, which this arm does not have; set that, or leave it out"
                raise EntryError(message, "arms", name, path)
