"""How two layers of a study file become one: maps merge, lists replace, null deletes.

A map that is new in the upper layer is taken as it is, so that its nulls are values (`choice: {none: null}`). Where the
upper layer names another component, the entries that the new one does not have are left behind; those of both stay.
"""

from collections.abc import Mapping
from typing import Any

from reid_search.study.language.places import ANYWHERE, Place


def merged(base: Mapping[Any, Any], over: Mapping[Any, Any], place: Place = ANYWHERE) -> dict[Any, Any]:
    """Lay `over` onto `base`; neither is changed.

    Args:
        base: The lower layer.
        over: The upper layer; a value of None deletes the key.
        place: Where both stand; components are told apart only where it is given.
    """
    result = place.kept(base, over)
    holder = {**result, **over}
    for key, value in over.items():
        below, inside = result.get(key), place.below(holder, key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and inside.is_map(below):
            result[key] = merged(inside.as_map(below), value, inside)
        else:
            result[key] = value
    return result
