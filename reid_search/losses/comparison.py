"""Features of a pair of images, compared value by value."""

from typing import Literal

from torch import Tensor


def compare(first: Tensor, second: Tensor, kind: Literal["squared", "absolute", "product"]) -> Tensor:
    """Return the features of pairs, broadcast; the same for (a, b) and (b, a)."""
    if kind == "product":
        return first * second
    difference = first - second
    return difference.square() if kind == "squared" else difference.abs()
