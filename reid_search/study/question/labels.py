"""What a report calls the axes of a study and their levels. Records, tables and commands keep the names of the file."""

from collections.abc import Mapping

from pydantic import Field, field_validator

from reid_search.errors import nearest
from reid_search.study.component import Config, EntryError, label_of
from reid_search.study.question.axes import Axis


class AxisLabels(Config):
    """What a report calls an axis.

    Attributes:
        title: The axis in words, such as `learning rate`; its path if omitted.
        levels: Its levels in words, by the name or value that the axis has for each.
    """

    title: str | None = Field(default=None, min_length=1)
    levels: dict[str, str] = Field(default={})

    @field_validator("levels", mode="before")
    @classmethod
    def _by_label(cls, levels: object) -> object:
        return {label_of(level): shown for level, shown in levels.items()} if isinstance(levels, Mapping) else levels


def check_labels(labels: Mapping[str, AxisLabels], axes: Mapping[str, Axis]) -> None:
    """Check that what labels name exists, and that each title names one axis.

    Raises:
        EntryError: An axis or level does not exist, or a title is taken; with its entry of the study.
    """
    for path, found in labels.items():
        if path not in axes:
            raise EntryError(f"unknown axis '{path}'; {nearest(path, axes)}", "labels", path)
        for level in found.levels:
            known = [item.label for item in axes[path].named_levels]
            if level not in known:
                message = f"'{level}' is not a named level of this axis; {nearest(level, known)}"
                raise EntryError(message, "labels", path, "levels", level)
        taken = [other for other in axes if other != path and found.title in (other, _title(labels, other))]
        if found.title is not None and taken:
            message = f"'{found.title}' is what '{taken[0]}' is called; give each axis a title of its own"
            raise EntryError(message, "labels", path, "title")


def _title(labels: Mapping[str, AxisLabels], path: str) -> str | None:
    return labels[path].title if path in labels else None
