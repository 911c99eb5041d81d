"""Changes of a trial's plain data: values at dotted paths, and variants laid over it.

Where a component changes (another `architecture`, `kind` or `name`), only those entries of the base stay that the new
one has, so that arms with different components can share one base.
"""

from collections.abc import Mapping, Sequence

from reid_search.study.language.document import key_of, split_path
from reid_search.study.language.merge import merged
from reid_search.study.language.places import Place
from reid_search.study.question.axes import Axis, Level
from reid_search.study.trial.recipes import KEY
from reid_search.study.trial.trial import TrialConfig

_TRIAL = Place(TrialConfig)
_Values = Sequence[tuple[Sequence[str], object]]


def apply_settings(base: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    """Return a trial's plain data with values at dotted paths; a component's name is set before its entries."""
    return _with_values(base, [(split_path(path), values[path]) for path in sorted(values)], _TRIAL)


def changed(base: Mapping[str, object], axes: Mapping[str, Axis], settings: Mapping[str, Level]) -> dict[str, object]:
    """Return a trial's plain data with settings: variants are laid over it in the order of the axes, then values."""
    content = dict(base)
    for path, axis in axes.items():
        if path in settings and axis.variants is not None:
            content = lay_over(content, axis.variants[settings[path].label])
    values = {path: level.value for path, level in settings.items() if axes[path].variants is None}
    return apply_settings(content, values)


def lay_over(base: Mapping[str, object], patch: Mapping[str, object]) -> dict[str, object]:
    """Return a trial's plain data with the changes of a variant: maps merge, lists replace, null deletes.

    Over a recipe a null stays, since what it deletes may be the recipe's.
    """
    return merged(base, patch, _TRIAL, "keep" if KEY in base or KEY in patch else "delete")


def _with_values(content: Mapping[str, object], values: _Values, place: Place) -> dict[str, object]:
    own = {key_of(content, steps[0]): value for steps, value in values if len(steps) == 1}
    result = {**place.kept(content, own), **own}
    deeper: dict[str, list[tuple[Sequence[str], object]]] = {}
    for (first, *rest), value in values:
        if rest:
            deeper.setdefault(key_of(content, first), []).append((rest, value))
    for key, inner in deeper.items():
        inside = place.below(result, key)
        result[key] = _with_values(inside.as_map(result.get(key)), inner, inside)
    return result
