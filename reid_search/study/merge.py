"""How two layers of a study file become one: maps merge, lists replace, null deletes."""

from collections.abc import Mapping
from typing import Any


def merged(base: Mapping[Any, Any], over: Mapping[Any, Any]) -> dict[Any, Any]:
    """Lay `over` onto `base`; neither is changed.

    Args:
        base: The lower layer.
        over: The upper layer; a value of None deletes the key.
    """
    result = dict(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            result[key] = value
    return result
