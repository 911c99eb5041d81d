"""k-reciprocal re-ranking in chunks, with sparse encodings instead of matrices over all pairs of images."""

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array

from reid_search.common.arrays import Chunk, Distances, Floats, Integers
from reid_search.scorers.k_reciprocal.config import KReciprocalConfig
from reid_search.scorers.k_reciprocal.neighbours import Neighbours, expanded_reciprocal
from reid_search.scorers.scorer import Scorer

_GRID = 2.0**-24


class KReciprocalScorer(Scorer):
    """The distance (1 - λ) · Jaccard + λ · original of Zhong et al. 2017, equation 12.

    The original distance is that of the first stage (1 - cosine, or squared Euclidean) divided by the image's largest.

    All N = Q + G images are compared with each other, twice, but the N × N matrix is never in memory. Besides the
    features and one chunk of distances, it takes 12 · N · max(k1 + 2, k2 + 1) bytes for the neighbours and 12 · N · n
    for the encodings V (sparse, float64), where an image's encoding has n ≤ k2 · (k1 + 1)(1 + k1 / 2) entries, in
    practice about a hundred: 40 MB on Market-1501, where the usual implementation holds several matrices of 1.5 GB.

    Without ties the result is that of the authors' code. Images tied across the k-th place are all left out, so that
    the result does not depend on the order of the files.
    """

    def __init__(self, config: KReciprocalConfig, _head: object) -> None:
        self._k1 = config.k1
        self._k2 = config.k2
        self._lambda = config.lambda_value

    def chunks(self, query: Floats, gallery: Floats, gallery_ids: Integers, distances: Distances) -> Iterator[Chunk]:
        """Yield re-ranked distances in [0, 1]."""
        del gallery_ids
        images = np.concatenate([query, gallery])
        count, queries = len(images), len(query)
        neighbours = Neighbours.find(distances(images, images), count, max(self._k1 + 2, self._k2 + 1))
        farthest = np.where(neighbours.farthest > 0, neighbours.farthest, 1.0)
        members = expanded_reciprocal(neighbours, self._k1)
        encodings = self._expanded(encode(distances(images, images), members, farthest), neighbours)
        of_gallery = csc_array(encodings[queries:])
        for rows, original in distances(query, images):
            numbers = np.arange(*rows.indices(queries))
            mixed = self._lambda * (original[:, queries:] / farthest[numbers, None])
            for offset, number in enumerate(numbers):
                mixed[offset] += (1 - self._lambda) * jaccard_distances(encodings, int(number), of_gallery)
            yield rows, np.rint(mixed / _GRID) * _GRID

    def _expanded(self, encodings: csr_array, neighbours: Neighbours) -> csr_array:
        """Average each encoding over the image's k2 nearest (section 3.4, local query expansion)."""
        if self._k2 == 1:
            return encodings
        nearest = neighbours.nearest(self._k2)
        return csr_array(diags_array(1.0 / nearest.sum(axis=1)) @ nearest @ encodings)


def encode(chunks: Iterable[Chunk], members: csr_array, farthest: Floats) -> csr_array:
    """Return V of equation 7, `(N, N)`: Gaussian weights of the members of each image's set, which sum to 1.

    Args:
        chunks: All pairwise distances, in chunks.
        members: `(N, N)`, nonzero for the members of the row's set.
        farthest: `(N,)`, the divisor of each image's distances.
    """
    weights = np.empty(len(members.indices))
    starts = members.indptr
    for rows, distances in chunks:
        for offset, number in enumerate(range(*rows.indices(len(farthest)))):
            own = slice(starts[number], starts[number + 1])
            weight = np.exp(-distances[offset, members.indices[own]] / farthest[number])
            weights[own] = weight / weight.sum()
    return csr_array((weights, members.indices, starts), shape=members.shape)


def jaccard_distances(encodings: csr_array, number: int, of_gallery: csc_array) -> Floats:
    """Return 1 - Σ min / Σ max of an image's encoding and that of each gallery image, `(G,)` (equation 10).

    Encodings sum to 1, so Σ max is 2 - Σ min; only columns where the image's encoding is not 0 count.
    """
    own = slice(encodings.indptr[number], encodings.indptr[number + 1])
    columns, values = encodings.indices[own], encodings.data[own]
    begins, ends = of_gallery.indptr[columns], of_gallery.indptr[columns + 1]
    lengths = ends - begins
    entries = np.arange(lengths.sum()) + np.repeat(begins - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    smaller = np.minimum(np.repeat(values, lengths), of_gallery.data[entries])
    shared = np.bincount(of_gallery.indices[entries], weights=smaller, minlength=of_gallery.shape[0])
    distances: Floats = 1.0 - shared / (2.0 - shared)
    return distances


build = KReciprocalScorer
