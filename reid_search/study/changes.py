"""Changes of a trial's plain data: values at dotted paths, and variants laid over it."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from reid_search.study.axes import Axis, Level
from reid_search.study.component import ARCHITECTURES, DATASETS, LOSSES, ComponentFamily
from reid_search.study.document import split_path

_DISCRIMINATORS = {"architecture": ARCHITECTURES, "kind": LOSSES, "name": DATASETS}


def apply_settings(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base with values at dotted paths.

    Where a component changes (another `architecture`, `kind` or `name`), the entries of the base that the new one does
    not have are left behind, so that arms with different architectures can share one base.

    Args:
        base: A trial config as plain data.
        values: Values by dotted path; component names are set first.
    """
    content = copy.deepcopy(dict(base))
    for path in sorted(values, key=lambda item: (item.split(".")[-1] not in _DISCRIMINATORS, item)):
        *parents, last = split_path(path)
        holder = _holder(content, parents)
        if last in _DISCRIMINATORS and holder.get(last) != values[path]:
            _keep_shared(holder, _DISCRIMINATORS[last], str(values[path]))
        holder[same_key(holder, last)] = copy.deepcopy(values[path])
    return content


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
    """Return the base with a variant's changes: maps merge, lists replace, null deletes.

    Where a component changes, the entries that the new one does not have are left behind, as in `apply_settings`.

    Args:
        base: A trial config, or a part of one, as plain data.
        patch: What changes.
    """
    content = copy.deepcopy(dict(base))
    for name, family in _DISCRIMINATORS.items():
        if name in patch and name in content and content[name] != patch[name]:
            _keep_shared(content, family, str(patch[name]))
    for key, value in patch.items():
        below = content.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            content[key] = lay_over(below, value)
        elif value is None:
            content.pop(key, None)
        else:
            content[key] = copy.deepcopy(value)
    return content


def _holder(content: dict[Any, Any], parents: Sequence[str]) -> dict[Any, Any]:
    for step in parents:
        key = same_key(content, step)
        below = content.get(key)
        content[key] = dict(below) if isinstance(below, Mapping) else {}
        content = content[key]
    return content


def same_key(holder: Mapping[Any, Any], step: str) -> str | int:
    """Return the key of a map that a step of a path means: `"2"` is the number 2 where the map has that."""
    return int(step) if step not in holder and step.isdigit() and int(step) in holder else step


def _keep_shared(holder: dict[Any, Any], family: ComponentFamily, name: str) -> None:
    if name not in family.names():
        return
    known = family.config_class(name).model_fields
    for key in [key for key in holder if key not in known]:
        del holder[key]
