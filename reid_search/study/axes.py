"""The axes of a study: what may vary, in which levels, and under which condition."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, field_validator, model_validator

from reid_search.study.component import Config

Range = tuple[float, float]

_KINDS = ("choice", "variants", "uniform", "log_uniform", "integer")


@dataclass(frozen=True)
class Level:
    """One value of an axis, with the name that tables and plots show."""

    label: str
    value: Any


def label_of(value: object) -> str:
    """Return the name of a value that was given none: text as it is, anything else as JSON."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, separators=(", ", ": "))


class Axis(Config):
    """One thing that varies. Exactly one of `choice`, `variants`, `uniform`, `log_uniform` and `integer` is given.

    Attributes:
        choice: Values, or named values (`none: []`); the names are what tables show.
        variants: Named changes of several entries at once (`pcb: {model: {…}, losses: {…}}`), each laid over `base`.
            Such an axis has a name of its own, and its first variant is the centre of designs.
        uniform: Low and high end of a range of numbers.
        log_uniform: The same, searched on a logarithmic scale.
        integer: Low and high end of whole numbers, both included.
        levels: The values that designs and grids use; a choice uses its own values.
        when: Conditions (`path: value` or `path: [values]`) under which the axis exists.
    """

    choice: dict[str, Any] | list[Any] | None = None
    variants: dict[str, dict[str, Any]] | None = None
    uniform: Range | None = None
    log_uniform: Range | None = None
    integer: tuple[int, int] | None = None
    levels: dict[str, Any] | list[Any] | None = None
    when: dict[str, Any] = Field(default_factory=dict)

    @field_validator("choice", "levels", mode="before")
    @classmethod
    def _values_with_labels(cls, values: object) -> object:
        if isinstance(values, Mapping):
            return {label_of(label): value for label, value in values.items()}
        if values is not None and not isinstance(values, list | tuple):
            raise ValueError(f"{values!r} should be a list of values, or a map of names to values")
        return values

    @model_validator(mode="after")
    def _one_kind(self) -> "Axis":
        kinds = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            given = " and ".join(kinds) or "none of them"
            raise ValueError(f"give exactly one of {', '.join(_KINDS)}; found {given}")
        span = self.uniform or self.log_uniform or self.integer
        if span and not span[0] < span[1]:
            raise ValueError(f"{kinds[0]}: {list(span)}: the low end must lie under the high end")
        if self.log_uniform and self.log_uniform[0] <= 0:
            raise ValueError(f"log_uniform: {list(self.log_uniform)}: both ends must be greater than 0")
        for name, values in (("choice", self.choice), ("variants", self.variants), ("levels", self.levels)):
            labels = [level.label for level in _levels(values)]
            if values is not None and not labels:
                raise ValueError(f"{name}: at least one value is needed")
            if len(set(labels)) < len(labels):
                raise ValueError(f"{name}: {labels}: each value may stand once")
        return self

    @property
    def design_levels(self) -> tuple[Level, ...]:
        """What designs and grids go through; empty where a range has no `levels`."""
        return _levels(self.levels) if self.levels is not None else self.searched_levels

    @property
    def searched_levels(self) -> tuple[Level, ...]:
        """The choices or variants that a search proposes; empty for a range."""
        return _levels(self.choice if self.choice is not None else self.variants)

    def level(self, label: str) -> Level | None:
        """Return the level with this name, or None."""
        return next((item for item in self._named if item.label == label), None)

    def level_of(self, value: object) -> Level:
        """Return the level of a value, named after itself where the axis does not name it."""
        for item in self._named:
            if _same(item.value, value):
                return item
        return Level(label_of(value), value)

    def only(self, label: str) -> "Axis":
        """Return the axis with one of its choices or variants left."""
        kept = {item.label: item.value for item in self.searched_levels if item.label == label}
        update = {"variants": kept} if self.variants is not None else {"choice": kept, "levels": None}
        return self.model_copy(update=update)

    def told(self, level: Level) -> object:
        """Return what a condition on this axis looks at: the name of a variant, the value of anything else."""
        return level.label if self.variants is not None else level.value

    @property
    def _named(self) -> tuple[Level, ...]:
        return (*self.searched_levels, *_levels(self.levels))


def holds(condition: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Say whether every `path: value` (or `path: [values]`) of a condition is met.

    A list stands for alternatives unless the value at the path is itself a list.
    """
    return all(_meets(values.get(path), wanted) for path, wanted in condition.items())


def _meets(value: object, wanted: object) -> bool:
    if _same(value, wanted):
        return True
    return isinstance(wanted, list) and any(_same(value, item) for item in wanted)


def _same(left: object, right: object) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(_same(a, b) for a, b in zip(left, right, strict=True))
    return left == right


def _levels(values: dict[str, Any] | list[Any] | None) -> tuple[Level, ...]:
    if values is None:
        return ()
    if isinstance(values, dict):
        return tuple(Level(label, value) for label, value in values.items())
    return tuple(Level(label_of(value), value) for value in values)
