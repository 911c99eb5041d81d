"""How two layers of a study file become one: maps merge, lists replace, null deletes.

A map that is new in the upper layer is taken as it is, so that its nulls are values (`choice: {none: null}`).
"""

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
        below = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(below, Mapping):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result
