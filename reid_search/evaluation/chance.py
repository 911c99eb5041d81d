"""What a random ranking scores: the floor for every mean average precision."""

from collections.abc import Iterator

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
    shape = (len(np.asarray(query_ids)), len(np.asarray(gallery_ids)))
    labels = Labels.checked(query_ids, gallery_ids, with_cameras(query_cameras, gallery_cameras, columns), shape, rule)
    values = [_expected_ap(*sizes) for sizes in (_in_draws(labels) if single_shot else _in_gallery(labels))]
    if not values:
        raise labels.no_match()
    return float(np.mean(values))


def _in_gallery(labels: Labels) -> Iterator[tuple[int, int]]:
    """Yield of each query with a match how many it has, and how many candidates there are."""
    for query in range(len(labels.query_ids)):
        matches, others = labels.candidates(query)
        if matches.size:
            yield len(matches), len(matches) + int(others.sum())


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
