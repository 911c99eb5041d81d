"""How two layers of a study file are merged: maps merge, lists replace, null deletes.

A map that is new in the upper layer is taken as it is, so its nulls are values (`choice: {none: null}`). Where the
upper layer names another component, only those entries of the lower one stay that the new component has.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from reid_search.study.language.places import ANYWHERE, Place

Nulls = Literal["delete", "delete named", "keep"]


def merged(
    base: Mapping[str, object],
    over: Mapping[str, object],
    place: Place = ANYWHERE,
    nulls: Nulls = "delete",
) -> dict[str, object]:
    """Return `base` with `over` laid over it. Components are recognised only if the place of both is given.

    Args:
        base: The lower layer.
        over: The upper one.
        place: Where both stand.
        nulls: Whether nulls of the upper layer `delete` entries, delete only those of maps with free names, such as
            losses (`delete named`), or stay for a layer further down (`keep`).
    """
    result = place.kept(base, over)
    holder = {**result, **over}
    for key, value in over.items():
        below, inside = result.get(key), place.below(holder, key)
        if value is None and (nulls == "delete" or (nulls == "delete named" and place.has_free_names)):
            result.pop(key, None)
        elif isinstance(value, Mapping) and inside.is_map(below):
            result[key] = merged(inside.as_map(below), value, inside, nulls)
        else:
            result[key] = value
    return result


def leaves(content: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the leaves of nested maps with their dotted paths; a list is a leaf, and so is an empty map."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
