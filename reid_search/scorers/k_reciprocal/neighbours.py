"""Nearest neighbours of all images, and sets of k-reciprocal neighbours as sparse matrices."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from reid_search.common.arrays import Chunk, Floats


@dataclass(frozen=True)
class Neighbours:
    """The M nearest images of each of N images, each image itself first.

    `places` and `distances` are `(N, M)`, nearest first; `farthest` `(N,)` is the distance of the farthest image.
    """

    places: npt.NDArray[np.int32]
    distances: Floats
    farthest: Floats

    @classmethod
    def find(cls, chunks: Iterable[Chunk], count: int, kept: int) -> "Neighbours":
        """Find the M = `kept` nearest of N = `count` images, or all, from chunks of all pairwise distances."""
        kept = min(kept, count)
        places = np.empty((count, kept), dtype=np.int32)
        nearest, farthest = np.empty((count, kept)), np.empty(count)
        for rows, given in chunks:
            numbers = np.arange(*rows.indices(count))
            farthest[rows] = given.max(axis=1)
            distances = given.copy()
            distances[np.arange(len(numbers)), numbers] = -np.inf
            some = np.argpartition(distances, kept - 1, axis=1)[:, :kept]
            order = np.argsort(np.take_along_axis(distances, some, axis=1), axis=1, kind="stable")
            places[rows] = np.take_along_axis(some, order, axis=1)
            nearest[rows] = np.take_along_axis(distances, places[rows], axis=1)
        return cls(places, nearest, farthest)

    def nearest(self, count: int) -> csr_array:
        """Return `(N, N)`, 1 where the column's image is among the `count` nearest of the row's.

        Images tied across the last place are all left out, since the order of the files would decide among them; the
        image itself is always included. Needs `count + 1` kept neighbours.
        """
        images, kept = self.places.shape
        if count < kept:
            inside = self.distances[:, :count] < self.distances[:, count : count + 1]
            inside[:, 0] = True
        else:
            inside = np.ones((images, kept), dtype=np.bool_)
        starts = np.concatenate([[0], np.cumsum(inside.sum(axis=1))])
        columns = self.places[:, : inside.shape[1]][inside]
        return csr_array((np.ones(len(columns), dtype=np.int32), columns, starts), shape=(images, images))


def expanded_reciprocal(neighbours: Neighbours, k1: int) -> csr_array:
    """Return the sets R* of Zhong et al. 2017, equation 3, as a matrix `(N, N)` that is nonzero for their members.

    R(i, k) holds the images that are among the k nearest of i and have i among theirs. R*(i) is the union of R(i, k1)
    and those R(q, k1/2) of its members q of which more than two thirds lie in R(i, k1). As in the authors' code, each
    image counts as an extra neighbour of itself, and k1/2 is rounded to even. Needs `k1 + 2` neighbours of each image.
    """
    reciprocal, half = (_reciprocal(neighbours, count + 1) for count in (k1, int(np.around(k1 / 2))))
    shared = (reciprocal @ half.T).multiply(reciprocal).tocoo()
    sizes = half.sum(axis=1)
    close = 3 * shared.data > 2 * sizes[shared.col]
    chosen = csr_array((np.ones(int(close.sum()), np.int32), (shared.row[close], shared.col[close])), half.shape)
    return csr_array(reciprocal + chosen @ half)


def _reciprocal(neighbours: Neighbours, count: int) -> csr_array:
    nearest = neighbours.nearest(count)
    return csr_array(nearest.multiply(nearest.T.tocsr()))
