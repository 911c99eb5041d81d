"""What a random ranking scores: the floor for every mean average precision."""

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from reid_search.evaluation.labels import Columns, EvaluationError, Labels, with_cameras
from reid_search.evaluation.single_shot import Draws
from reid_search.study.rules import MARKET_RULE, EvaluationRule


def chance_mean_ap(
    *,
    query_ids: npt.ArrayLike,
    gallery_ids: npt.ArrayLike,
    query_cameras: npt.ArrayLike | None = None,
    gallery_cameras: npt.ArrayLike | None = None,
    rule: EvaluationRule = MARKET_RULE,
    columns: Columns | None = None,
    single_shot: bool = False,
) -> float:
    """Return the expected mean average precision (rectangular) of a uniformly random ranking of the same split.

    With R matches among N candidates, the image at rank k is a match with probability R / N; if it is, the k - 1 images
    before it include (k - 1)(R - 1) / (N - 1) matches on average. So the expected average precision is
    [H_N + (R - 1)(N - H_N) / (N - 1)] / N, where H_N is the harmonic number.

    Args:
        query_ids: `(Q,)`, at least 1.
        gallery_ids: `(G,)`; -1 is junk and left out, 0 a distractor and never a match.
        query_cameras: `(Q,)`; where the rule compares cameras, as that of Market-1501 does.
        gallery_cameras: `(G,)`.
        rule: What is left out for a query.
        columns: What else the rule compares: by name (`clothes`, `image`), the labels of queries `(Q,)` and of the
            gallery `(G,)`.
        single_shot: Whether to rank the rule's random galleries instead of the whole one.

    Raises:
        EvaluationError: Shapes do not fit, a column is missing, no query has a match, or the rule draws no galleries.
    """
    labels = _labels(query_ids, gallery_ids, query_cameras, gallery_cameras, rule, columns)
    values = [_expected_ap(*sizes) for sizes in (_in_draws(labels) if single_shot else _in_gallery(labels))]
    if not values:
        raise labels.no_match()
    return float(np.mean(values))


def chance_deviation(
    *,
    query_ids: npt.ArrayLike,
    gallery_ids: npt.ArrayLike,
    query_cameras: npt.ArrayLike | None = None,
    gallery_cameras: npt.ArrayLike | None = None,
    rule: EvaluationRule = MARKET_RULE,
    columns: Columns | None = None,
) -> float:
    """Return how far the mean average precision of a random ranking strays from its expectation: a standard deviation.

    Images of one identity may be ranked alike by a network that has learnt nothing, so its queries count as one draw,
    those of different identities as independent: with the deviations d of Q queries, the variance is the sum over
    identities of (sum of d)², over Q². Queries that are ranked independently of each other stray less, and so do those
    that all share one order of the gallery, in which one identity's gain is another's loss.

    The arguments are those of `chance_mean_ap`, and so are the errors.
    """
    labels = _labels(query_ids, gallery_ids, query_cameras, gallery_cameras, rule, columns)
    of_identity: dict[int, float] = {}
    count = 0
    for query, matches, candidates in _sizes(labels):
        count += 1
        identity = int(labels.query_ids[query])
        of_identity[identity] = of_identity.get(identity, 0.0) + _ap_deviation(matches, candidates)
    if not count:
        raise labels.no_match()
    return math.hypot(*of_identity.values()) / count


def _labels(
    query_ids: npt.ArrayLike,
    gallery_ids: npt.ArrayLike,
    query_cameras: npt.ArrayLike | None,
    gallery_cameras: npt.ArrayLike | None,
    rule: EvaluationRule,
    columns: Columns | None,
) -> Labels:
    shape = (len(np.asarray(query_ids)), len(np.asarray(gallery_ids)))
    return Labels.checked(query_ids, gallery_ids, with_cameras(query_cameras, gallery_cameras, columns), shape, rule)


def _sizes(labels: Labels) -> Iterator[tuple[int, int, int]]:
    """Yield each query with a match, how many it has, and how many candidates there are."""
    for query in range(len(labels.query_ids)):
        matches, others = labels.candidates(query)
        if matches.size:
            yield query, len(matches), len(matches) + int(others.sum())


def _in_gallery(labels: Labels) -> Iterator[tuple[int, int]]:
    return ((matches, candidates) for _, matches, candidates in _sizes(labels))


def _in_draws(labels: Labels) -> Iterator[tuple[int, int]]:
    """Yield the same of the random galleries, which have as many images each."""
    if labels.rule.single_shot is None:
        raise EvaluationError(f"single_shot: the rule '{labels.rule}' draws no galleries")
    draws = Draws.drawn(labels, labels.rule.single_shot)
    for query, identity in enumerate(labels.query_ids):
        matches, _ = labels.candidates(query)
        if matches.size:
            yield draws.sizes(identity, matches)


def _expected_ap(matches: int, candidates: int) -> float:
    harmonic = float((1.0 / np.arange(1, candidates + 1)).sum())
    others = (matches - 1) * (candidates - harmonic) / (candidates - 1) if candidates > 1 else 0.0
    return (harmonic + others) / candidates


@lru_cache(maxsize=4096)
def _ap_deviation(matches: int, candidates: int) -> float:
    """Return the standard deviation of the average precision of R matches in a random order of N candidates.

    With x_k = 1 where rank k is a match, R AP = sum over k of x_k (x_1 + ... + x_k) / k. The mean of its square needs
    how probable it is that 1, 2, 3 or 4 given ranks are all matches, p1 to p4. For ranks k < l, the mean of
    x_k x_l (x_1 + ... + x_k)(x_1 + ... + x_l) is 2 p2 + (3k + l - 5) p3 + (k - 1)(l - 3) p4, and for k = l it is
    p1 + 3 (k - 1) p2 + (k - 1)(k - 2) p3.
    """
    p1, p2, p3, p4 = (
        math.perm(matches, count) / math.perm(candidates, count) if matches >= count else 0.0 for count in (1, 2, 3, 4)
    )
    rank = np.arange(1.0, candidates + 1)
    before = np.cumsum(1.0 / rank) - 1.0 / rank  # the sum of 1 / k over k < l
    alone = (p1 + 3 * (rank - 1) * p2 + (rank - 1) * (rank - 2) * p3) / rank**2
    pairs = (2 * p2 + (rank - 5) * p3) * before / rank + 3 * p3 * (rank - 1) / rank
    pairs += p4 * (1 - 3 / rank) * (rank - 1 - before)
    square = float((alone + 2 * pairs).sum()) / matches**2
    return math.sqrt(max(0.0, square - _expected_ap(matches, candidates) ** 2))
