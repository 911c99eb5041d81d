"""What a random ranking scores: the floor for every mean average precision."""

import numpy as np
import numpy.typing as npt

from reid_search.common.labels import JUNK
from reid_search.evaluation.ranking import EvaluationError, Labels


def chance_mean_ap(
    *,
    query_ids: npt.ArrayLike,
    gallery_ids: npt.ArrayLike,
    query_cameras: npt.ArrayLike,
    gallery_cameras: npt.ArrayLike,
) -> float:
    """Return the expected mean average precision (rectangular) of a uniformly random ranking of the same split.

    With R matches among N candidates, the image at rank k is a match with probability R / N; if it is, the k - 1 images
    before it include (k - 1)(R - 1) / (N - 1) matches on average. So the expected average precision is
    [H_N + (R - 1)(N - H_N) / (N - 1)] / N, where H_N is the harmonic number.

    Args:
        query_ids: `(Q,)`, at least 1.
        gallery_ids: `(G,)`; -1 is junk and left out, 0 a distractor and never a match.
        query_cameras: `(Q,)`.
        gallery_cameras: `(G,)`.

    Raises:
        EvaluationError: Shapes do not fit, or no query has a match.
    """
    shape = (len(np.asarray(query_ids)), len(np.asarray(gallery_ids)))
    labels = Labels.checked(query_ids, gallery_ids, query_cameras, gallery_cameras, shape)
    candidates = int((labels.gallery_ids != JUNK).sum())
    values = []
    for identity, camera in zip(labels.query_ids, labels.query_cameras, strict=True):
        same = labels.gallery_cameras[labels.gallery_ids == identity]
        matches = int((same != camera).sum())
        if matches:
            values.append(_expected_ap(matches, candidates - (len(same) - matches)))
    if not values:
        raise EvaluationError(f"none of the {shape[0]} queries has a match of another camera in the gallery")
    return float(np.mean(values))


def _expected_ap(matches: int, candidates: int) -> float:
    harmonic = float((1.0 / np.arange(1, candidates + 1)).sum())
    others = (matches - 1) * (candidates - harmonic) / (candidates - 1) if candidates > 1 else 0.0
    return (harmonic + others) / candidates
