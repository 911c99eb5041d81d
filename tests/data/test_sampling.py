"""P × K batches."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_search.data import IdentitySampler
from reid_search.errors import DataError
from reid_search.study.trial.training import BatchConfig


@given(
    counts=st.lists(st.integers(1, 6), min_size=4, max_size=12),
    ids=st.integers(1, 4),
    per_id=st.integers(1, 5),
    step=st.integers(0, 30),
)
def test_a_batch_has_p_identities_with_k_images_each(counts: list[int], ids: int, per_id: int, step: int) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = IdentitySampler(labels, BatchConfig(ids=ids, per_id=per_id), seed=3).batch(step)
    assert rows.shape == (ids * per_id,)
    assert set(Counter(labels[rows].tolist()).values()) == {per_id}
    for identity in set(labels[rows].tolist()):
        uses = Counter(rows[labels[rows] == identity].tolist())
        have = counts[identity]
        assert len(uses) == min(per_id, have)
        assert max(uses.values()) - min(uses.values()) <= 1


def test_a_pass_shows_every_identity_once() -> None:
    labels = np.repeat(np.arange(12), 3)
    sampler = IdentitySampler(labels, BatchConfig(ids=4, per_id=2), seed=0)
    for turn in range(3):
        seen = np.concatenate([labels[sampler.batch(3 * turn + place)] for place in range(3)])
        assert sorted(set(seen.tolist())) == list(range(12))


def test_any_two_identities_meet_in_a_batch_as_often_as_chance_has_it() -> None:
    """With one order for every pass, some would always meet and others never."""
    labels, passes = np.repeat(np.arange(12), 2), 300
    sampler = IdentitySampler(labels, BatchConfig(ids=4, per_id=2), seed=0)
    met: Counter[tuple[int, int]] = Counter()
    for step in range(3 * passes):
        met.update(itertools.combinations(sorted(set(labels[sampler.batch(step)].tolist())), 2))
    expected = passes * 3 / 11
    assert len(met) == 12 * 11 // 2
    assert all(abs(count - expected) < 5 * (expected * 8 / 11) ** 0.5 for count in met.values())


def test_all_images_of_an_identity_come_equally_often_in_the_long_run() -> None:
    labels = np.repeat(np.arange(4), 5)
    sampler = IdentitySampler(labels, BatchConfig(ids=4, per_id=2), seed=0)
    uses = np.bincount(np.concatenate([sampler.batch(step) for step in range(1000)]), minlength=20)
    assert uses.sum() == 8000
    assert np.abs(uses - 400).max() < 80


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    labels = np.repeat(np.arange(10), 4)
    batch = BatchConfig(ids=5, per_id=2)
    first, again, other = (IdentitySampler(labels, batch, seed) for seed in (1, 1, 2))
    skipped = again.batch(7)
    for step in range(7):
        first.batch(step)
    np.testing.assert_array_equal(first.batch(7), skipped)
    assert not np.array_equal(other.batch(7), skipped)


def test_the_images_of_an_identity_depend_on_the_seed() -> None:
    """With one identity, its images are all that a seed can change."""
    batch = BatchConfig(ids=1, per_id=4)
    drawn = {tuple(IdentitySampler([5] * 12, batch, seed).batch(0).tolist()) for seed in range(8)}
    assert len(drawn) == 8


def test_the_order_of_identities_depends_on_the_seed() -> None:
    """With one image of each, it is all that a seed can change."""
    batch = BatchConfig(ids=12, per_id=1)
    drawn = {tuple(IdentitySampler(range(12), batch, seed).batch(0).tolist()) for seed in range(8)}
    assert len(drawn) == 8


def test_each_repeat_of_the_images_has_an_order_of_its_own() -> None:
    """An identity with few images repeats them all in a new order, and a remainder may be any of them."""
    sampler = IdentitySampler([5] * 4, BatchConfig(ids=1, per_id=10), seed=0)
    rounds = [np.split(sampler.batch(step), [4, 8]) for step in range(200)]
    assert all(sorted(part) == [0, 1, 2, 3] for first, second, _ in rounds for part in (first, second))
    alike = sum(np.array_equal(first, second) for first, second, _ in rounds)
    assert alike < 25  # 200 / 24 by chance
    begun_alike = sum(np.array_equal(first[:2], rest) for first, _, rest in rounds)
    assert begun_alike < 40  # 200 / 12 by chance


def test_more_identities_than_there_are_is_refused() -> None:
    with pytest.raises(DataError, match=r"batch\.ids: 8: the training set has 3 identities; allowed: at most 3"):
        IdentitySampler([1, 1, 2, 3], BatchConfig(ids=8, per_id=1), seed=0)
