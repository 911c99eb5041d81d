"""Arrays of features and distances, and long ones in chunks."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Chunk = tuple[slice, npt.NDArray[np.floating]]
"""Which queries, and their distances to the whole gallery, `(chunk, G)`."""
Distances = Callable[[Floats, Floats], Iterator[Chunk]]
"""From features `(M, D)` and `(N, D)` to chunks of the distances between them."""


def chunks(count: int, size: int) -> Iterator[slice]:
    """Yield slices of at most `size` items that cover `count` items in order."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
