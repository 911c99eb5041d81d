"""The merge of new scores and first stage against sorted lists."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_search.scorers.scorer import on_grid
from reid_search.scorers.top_k import TopKRescorer, merge, nearest_places


def _expected_order(distances, top, scores_of):
    """Groups of images in the order in which they are found; images of a group tie."""
    groups = [[i for i, d in enumerate(distances) if d == value] for value in sorted(set(distances))]
    first, rest = [], []
    for group in groups:
        fits = not rest and len(first) + len(group) <= top
        (first.extend(group) if fits else rest.append(group))
    scores = {image: scores_of[image] for image in first}
    return [[i for i in first if scores[i] == value] for value in sorted(set(scores.values()), reverse=True)] + rest


def _found_order(distances):
    return [np.flatnonzero(distances == value).tolist() for value in np.unique(distances)]


@settings(deadline=None, max_examples=300)
@given(data=st.data(), count=st.integers(1, 12), offset=st.sampled_from([0, -5, 1000]))
def test_merged_distances_order_as_lists_do(data, count, offset):
    distances = np.array(data.draw(st.lists(st.integers(0, 6), min_size=count, max_size=count)), float) + offset
    scores = np.array(data.draw(st.lists(st.integers(-3, 3), min_size=count, max_size=count)), float) / 3
    top = data.draw(st.integers(1, 14))
    places = nearest_places(distances, top)
    merged = merge(distances, places, scores[places])
    expected = _expected_order(distances.tolist(), top, scores.tolist())
    assert _found_order(merged) == [sorted(group) for group in expected]


def test_whole_gallery_is_scored_without_a_limit():
    assert nearest_places(np.array([2.0, 1.0, 1.0]), None).tolist() == [1, 2, 0]


def test_ties_across_the_last_place_are_left_out():
    assert nearest_places(np.array([0.0, 1.0, 1.0, 2.0]), 2).tolist() == [0]
    assert nearest_places(np.zeros(5), 3).tolist() == []


def test_scores_that_are_not_finite_are_not_hidden():
    assert np.isnan(merge(np.arange(3.0), np.array([0, 1]), np.array([1.0, np.nan]))[:2]).all()


def test_rounding_noise_ties_and_differences_stay():
    scores = np.array([1.0, 1.0 + 1e-12, 1.0 + 1e-6, 0.0])
    rounded = on_grid(scores)
    assert rounded[0] == rounded[1] < rounded[2]
    assert on_grid(np.zeros(2)).tolist() == [0, 0]
    assert on_grid(np.empty(0)).tolist() == []


class _ByLabel(TopKRescorer):
    """Prefers large identities; remembers what it was given."""

    def rescore(self, query, candidates):
        self.seen = candidates
        return candidates.identities.astype(float)


def test_candidates_come_nearest_first_with_everything_that_is_known_of_them():
    scorer = _ByLabel(3)
    gallery = np.arange(5.0)[:, None]
    first_stage = np.array([[4.0, 1.0, 3.0, 2.0, 9.0]])
    ids = np.array([-1, 5, 0, 7, 9])
    ((_, merged),) = scorer.chunks(
        np.zeros((1, 1)), gallery, ids, lambda one, other: iter([(slice(0, 1), first_stage)])
    )
    assert scorer.seen.features[:, 0].tolist() == [1, 3, 2]
    assert scorer.seen.identities.tolist() == [5, 7, 0]
    assert scorer.seen.distances.tolist() == [1, 2, 3]
    assert np.argsort(merged[0]).tolist() == [3, 1, 2, 0, 4]
    assert merged[0, [0, 4]].tolist() == pytest.approx([4, 9])
