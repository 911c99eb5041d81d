"""Changes of a trial's plain data: values at dotted paths, and variants laid over it.

Where a component changes (another `architecture`, `kind` or `name`), the entries of the base that the new one does not
have are left behind, so that arms with different components can share one base; those that both have stay.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from reid_search.study.language.document import split_path
from reid_search.study.language.merge import merged
from reid_search.study.language.places import Place
from reid_search.study.question.axes import Axis, Level
from reid_search.study.trial.trial import TrialConfig

_TRIAL = Place(TrialConfig)
_Values = Sequence[tuple[Sequence[str], object]]


def apply_settings(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base with values at dotted paths.

    Args:
        base: A trial config as plain data.
        values: Values by dotted path; a component's name is set before its entries.
    """
    return _with_values(base, [(split_path(path), values[path]) for path in sorted(values)], _TRIAL)


def changed(base: Mapping[str, Any], axes: Mapping[str, Axis], settings: Mapping[str, Level]) -> dict[str, Any]:
    """Return a trial's plain data with settings: variants are laid over it in the order of the axes, then values set.

    Args:
        base: The trial's plain data.
        axes: The axes that the settings are of.
        settings: The level of some of them.
    """
    content = dict(base)
    for path, axis in axes.items():
        if path in settings and axis.variants is not None:
            content = lay_over(content, settings[path].value)
    values = {path: level.value for path, level in settings.items() if axes[path].variants is None}
    return apply_settings(content, values)


def lay_over(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return a trial's plain data with a variant's changes: maps merge, lists replace, null deletes."""
    return merged(base, patch, _TRIAL)


def same_key(holder: Mapping[Any, Any], step: str) -> str | int:
    """Return the key of a map that a step of a path means: `"2"` is the number 2 where the map has that."""
    return int(step) if step not in holder and step.isdigit() and int(step) in holder else step


def _with_values(content: Mapping[Any, Any], values: _Values, place: Place) -> dict[Any, Any]:
    own = {same_key(content, steps[0]): value for steps, value in values if len(steps) == 1}
    result = {**place.kept(content, own), **own}
    deeper: dict[str | int, list[tuple[Sequence[str], object]]] = {}
    for (first, *rest), value in values:
        if rest:
            deeper.setdefault(same_key(content, first), []).append((rest, value))
    for key, inner in deeper.items():
        inside = place.below(result, key)
        result[key] = _with_values(inside.as_map(result.get(key)), inner, inside)
    return result
