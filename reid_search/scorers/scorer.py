"""The base class of scorers: from features of queries and gallery to distances, in chunks of queries."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from reid_search.common.arrays import Chunk, Distances, Floats, Integers
from reid_search.errors import ReidSearchError

_TIE_BITS = 24


class ScorerError(ReidSearchError):
    """A scorer cannot be built from what was trained, or does not fit the features."""


class Scorer(ABC):
    """Turns features into distances, in chunks of queries, so that the full distance matrix is never in memory.

    A scorer is built for one test of one trained model and keeps nothing between calls. It guarantees that

    * its distances depend neither on the order of the gallery nor on the chunks of the first stage;
    * images with the same feature are at the same distance, despite rounding errors (`on_grid`);
    * it reads identities only if its config says so (`oracle`).
    """

    @abstractmethod
    def chunks(self, query: Floats, gallery: Floats, gallery_ids: Integers, distances: Distances) -> Iterator[Chunk]:
        """Yield the distances of chunks of queries to the whole gallery, `(chunk, G)`; smaller is more alike.

        Args:
            query: `(Q, D)` features, finite, as the readout gives them.
            gallery: `(G, D)` features.
            gallery_ids: `(G,)` identities; -1 is junk, 0 a distractor.
            distances: Returns the first stage's distances between any features `(M, D)` and `(N, D)`, in chunks
                `(rows, (chunk, N))`, proportional to 1 - cosine or to the squared Euclidean distance, exact to the last
                digit, so that equal numbers are ties.
        """


def on_grid(values: Floats) -> Floats:
    """Round scores to 2^-24 of the largest of them, or of 1 if all are smaller, so that smaller differences tie.

    For log-odds and probabilities this is far below any meaningful difference and far above rounding in float64.
    """
    largest = np.abs(values).max(initial=1.0)
    step = 2.0 ** (np.ceil(np.log2(largest)) - _TIE_BITS)
    rounded: Floats = np.rint(values / step) * step
    return rounded
