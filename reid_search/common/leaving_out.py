"""Conditions by which a ranking leaves out images, such as `same camera` or `other clothes`, on arrays."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from reid_search.common.arrays import Integers

Booleans = npt.NDArray[np.bool_]


def meets_any(conditions: Iterable[str], query: Mapping[str, int], images: Mapping[str, Integers]) -> Booleans:
    """Say which images meet at least one condition for a query, `(N,)`.

    Args:
        conditions: At least one of `same <column>` and `other <column>`.
        query: The query's label in each column that a condition compares.
        images: The labels of N images in the same columns, `(N,)` each.
    """
    met: Booleans = np.any([_meets(condition, query, images) for condition in conditions], axis=0)
    return met


def _meets(condition: str, query: Mapping[str, int], images: Mapping[str, Integers]) -> Booleans:
    word, _, column = condition.partition(" ")
    met: Booleans = (images[column] == query[column]) == (word == "same")
    return met
