"""The axes of a study: what varies, its levels, and the condition under which it exists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from reid_search.errors import nearest
from reid_search.study.component import Config, EntryError, in_yaml, label_of
from reid_search.study.language.places import Entries
from reid_search.study.trial.recipes import KEY, WHERE_TAKEN
from reid_search.study.trial.trial import TrialConfig

Range = tuple[float, float]
_Values = dict[str, object] | list[object] | None

_KINDS = ("choice", "variants", "uniform", "log_uniform", "integer")
_FEW = 1_000
_OFF_LABELS = ("none", "off")
_OFF_VALUES: tuple[object, ...] = (None, False, [], 0)


@dataclass(frozen=True)
class Level:
    """One value of an axis, with the name that tables and plots show."""

    label: str
    value: object


class Axis(Config):
    """One thing that varies. Exactly one of `choice`, `variants`, `uniform`, `log_uniform` and `integer` is given.

    Attributes:
        choice: Values, or named values (`none: []`); tables show the names.
        variants: Named changes of several entries at once (`pcb: {model: {…}, losses: {…}}`), each laid over `base`.
            The axis then has a free name instead of a path, and its first variant is the centre of designs.
        uniform: Low and high end of a range of numbers.
        log_uniform: The same, searched on a logarithmic scale.
        integer: Low and high end of whole numbers, both included.
        levels: The values that designs and grids use, or names of choices or variants; by default, all
            values of a choice.
        off: The label or value of the level at which this component is switched off. If omitted, the first level whose
            value is null, false, [] or 0 or whose label is `none` or `off`, else what the base has.
        when: Conditions (`path: value` or `path: [values]`) under which the axis exists.
    """

    choice: _Values = None
    variants: dict[str, Annotated[dict[str, object], Entries(TrialConfig)]] | None = None
    uniform: Range | None = None
    log_uniform: Range | None = None
    integer: tuple[int, int] | None = None
    levels: _Values = None
    off: object = Field(default=None, validate_default=False)
    when: dict[str, object] = Field(default_factory=dict)

    @field_validator("choice", "levels", mode="before")
    @classmethod
    def _values_with_labels(cls, values: object) -> object:
        if isinstance(values, Mapping):
            return {label_of(label): value for label, value in values.items()}
        if values is not None and not isinstance(values, list | tuple):
            raise ValueError(f"{values!r} should be a list of values, or a map of names to values")
        return values

    @field_validator("off", mode="before")
    @classmethod
    def _label_of_off(cls, value: object, info: ValidationInfo) -> object:
        """Replace a value by its label, so that an explicit null differs from an omitted `off`."""
        if not {"choice", "variants", "levels"} <= set(info.data):
            return value  # one of them is wrong and reported
        levels = _design_levels(*(info.data[name] for name in ("choice", "variants", "levels")))
        if not levels:
            raise ValueError(f"{value!r}: a range is off at one of its `levels`; name them, such as levels: [0, 1.2]")
        level = _find(levels, value)
        if level is None:
            known = nearest(label_of(value), [item.label for item in levels])
            raise ValueError(f"{value!r} is not a level of this axis; {known}")
        return level.label

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            given = " and ".join(kinds) or "none of them"
            raise ValueError(f"give exactly one of {', '.join(_KINDS)}; found {given}")
        span = self.span
        if span and not span[0] < span[1]:
            raise ValueError(f"{kinds[0]}: {list(span)}: the low end must be less than the high end")
        if self.log_uniform and self.log_uniform[0] <= 0:
            raise ValueError(f"log_uniform: {list(self.log_uniform)}: both ends must be greater than 0")
        for name, values in (("choice", self.choice), ("variants", self.variants), ("levels", self.levels)):
            labels = [level.label for level in _levels(values)]
            if values is not None and not labels:
                raise ValueError(f"{name}: at least one value is needed")
            if len(set(labels)) < len(labels):
                raise ValueError(f"{name}: {labels}: each value may be given once")
            unknown = [label for label in labels if self.variants is not None and label not in self.variants]
            if self.variants is not None and unknown:
                raise ValueError(f"{name}: '{unknown[0]}' is not a variant; {nearest(unknown[0], self.variants)}")
        return self

    @property
    def design_levels(self) -> tuple[Level, ...]:
        """The levels that designs and grids use; empty for a range without `levels`."""
        return _design_levels(self.choice, self.variants, self.levels)

    @property
    def searched_levels(self) -> tuple[Level, ...]:
        """The choices or variants that a search proposes; empty for a range."""
        return _levels(self.choice if self.choice is not None else self.variants)

    @property
    def whole_numbers(self) -> tuple[Level, ...]:
        """The levels of a range of few whole numbers; empty for any other axis."""
        low, high = self.integer or (1, 0)
        return tuple(map(self.level_of, range(low, high + 1))) if high - low < _FEW else ()

    def level(self, label: str) -> Level | None:
        """Return the level with this label, or None."""
        return next((item for item in self.named_levels if item.label == label), None)

    def level_of(self, value: object) -> Level:
        """Return the level of a value; the value labels itself if the axis has no such level."""
        named = (item for item in self.named_levels if _same(item.value, value))
        return next(named, Level(label_of(value), value))

    def setting(self, value: object) -> Level | None:
        """Return the level of a label, of a value, or of a number inside the range; else None."""
        found = _find(self.named_levels, value)
        if found is not None or self.span is None or isinstance(value, bool) or not isinstance(value, int | float):
            return found
        whole = self.integer is None or isinstance(value, int)
        return Level(label_of(value), value) if whole and self.span[0] <= value <= self.span[1] else None

    def no_level(self, value: object) -> str:
        """Say that a value is no level of the axis, and which are."""
        labels = [level.label for level in self.named_levels]
        known = nearest(label_of(value), labels) if labels or self.span is None else ""
        if self.span is not None:
            low, high = map(label_of, self.span)
            kind = "whole number" if self.integer else "number"
            known += f"{', or' if known else 'allowed:'} a {kind} from {low} to {high}"
        return f"{in_yaml(value)} is not a level of this axis; {known}"

    @property
    def off_level(self) -> Level | None:
        """The level at which this component is switched off; None if that depends on the base."""
        if self.off is not None:
            return next((level for level in self.design_levels if level.label == self.off), None)
        return next((level for level in self.design_levels if _is_off(level)), None)

    def only(self, level: Level) -> Self:
        """Return the axis narrowed to one level."""
        kind = "variants" if self.variants is not None else "choice"
        nothing = dict.fromkeys((*_KINDS, "levels"))
        return self.model_copy(update={**nothing, kind: {level.label: level.value}})

    def told(self, level: Level) -> object:
        """Return what a condition on this axis compares: the name of a variant, the value of any other level."""
        return level.label if self.variants is not None else level.value

    @property
    def named_levels(self) -> tuple[Level, ...]:
        """The levels that a search proposes, then those that only designs use."""
        searched = self.searched_levels
        return (*searched, *(level for level in self.design_levels if level not in searched))

    @property
    def span(self) -> Range | tuple[int, int] | None:
        """The ends of a range; None for a choice or variants."""
        return self.uniform or self.log_uniform or self.integer


def check_setting(axes: Mapping[str, Axis], path: str, value: object, place: Iterable[str | int]) -> None:
    """Raise an `EntryError` with the place of a setting, unless its path is an axis and its value a level."""
    if path == KEY:
        raise EntryError(f"not an axis; {WHERE_TAKEN}", *place)
    if path not in axes:
        raise EntryError(f"unknown axis '{path}'; {nearest(path, axes)}", *place)
    if axes[path].setting(value) is None:
        raise EntryError(axes[path].no_level(value), *place)


def holds(condition: Mapping[str, object], values: Mapping[str, object]) -> bool:
    """Say whether every `path: value` of a condition is met; a list is one value or a choice of several."""
    return all(_meets(values.get(path), wanted) for path, wanted in condition.items())


def _meets(value: object, wanted: object) -> bool:
    return any(_same(value, item) for item in (wanted, *(wanted if isinstance(wanted, list) else ())))


def _same(left: object, right: object) -> bool:
    """Compare two values as YAML means them: `true` is neither 1 nor text, and `[1, 2]` is `(1, 2)`."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    return left == right


def _is_off(level: Level) -> bool:
    return level.label in _OFF_LABELS or any(_same(level.value, value) for value in _OFF_VALUES)


def _find(levels: Iterable[Level], wanted: object) -> Level | None:
    """Return the level with this value or label; for text, the label comes first.

    A level without a name of its own is labelled by its value, which means no other value: `true` is not the text.
    """
    known = list(levels)
    named = [
        level
        for level in known
        if level.label == label_of(wanted) and (isinstance(wanted, str) or level.label != level.value)
    ]
    same = [level for level in known if _same(level.value, wanted)]
    return next(iter([*named, *same] if isinstance(wanted, str) else [*same, *named]), None)


def _design_levels(
    choice: _Values, variants: Mapping[str, object] | None, levels: Mapping[str, object] | list[object] | None
) -> tuple[Level, ...]:
    """Return the levels that designs use; entries of a list may be names of choices or variants."""
    own = _levels(choice if choice is not None else variants)
    if levels is None:
        return own
    if isinstance(levels, Mapping) and variants is None:
        return _levels(levels)
    return tuple(_find(own, level.value) or level for level in _levels(list(levels)))


def _levels(values: Mapping[str, object] | list[object] | None) -> tuple[Level, ...]:
    if isinstance(values, Mapping):
        return tuple(Level(label, value) for label, value in values.items())
    return tuple(Level(label_of(value), value) for value in values or ())
