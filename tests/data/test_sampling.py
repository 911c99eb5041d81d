"""Batches: P × K, and orders in which every image of a pass comes once."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reid_search.data import IdentitySampler
from reid_search.data.sampling import PassSampler, build_sampler
from reid_search.errors import DataError
from reid_search.study.trial.training import BatchConfig


@given(
    counts=st.lists(st.integers(1, 6), min_size=4, max_size=12),
    ids=st.integers(1, 4),
    per_id=st.integers(1, 5),
    step=st.integers(0, 30),
)
def test_a_batch_has_p_identities_with_k_images_each(counts: list[int], ids: int, per_id: int, step: int) -> None:
    assume(ids * per_id > 1)  # a batch of one image is refused
    assume(ids * per_id > 1)
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


ORDERS = ("covering", "shuffled", "consecutive")
LABELS = np.random.default_rng(4).permutation(np.repeat(np.arange(9), [1, 2, 4, 4, 6, 8, 12, 12, 20]))


def _passes(order: str, ids: int, per_id: int, count: int, seed: int = 0) -> list[np.ndarray]:
    """Return the batches of the first passes, `(batches, P · K)` each, found by their first steps."""
    sampler = PassSampler(LABELS, BatchConfig(ids=ids, per_id=per_id, order=order), seed)  # type: ignore[arg-type]
    sampler.batch(10_000)
    ends = sampler._first_steps[: count + 1]
    return [np.stack([sampler.batch(step) for step in range(*pair)]) for pair in itertools.pairwise(ends)]


@pytest.mark.parametrize("order", ["shuffled", "consecutive"])
def test_a_pass_in_one_row_shows_every_image_once_but_for_a_last_broken_batch(order: str) -> None:
    for batches in _passes(order, 2, 4, 5):
        assert batches.shape == (len(LABELS) // 8, 8)
        assert len(set(batches.ravel().tolist())) == batches.size


def test_consecutive_images_are_all_those_of_one_identity_after_another() -> None:
    for batches in _passes("consecutive", 1, 3, 5):
        runs = [identity for identity, _ in itertools.groupby(LABELS[batches.ravel()])]
        assert len(runs) == len(set(runs.copy()))


def test_a_shuffled_batch_mixes_identities_by_chance() -> None:
    met = [len(set(LABELS[batch])) for batches in _passes("shuffled", 2, 4, 200) for batch in batches]
    counts = np.bincount(LABELS)
    absent = np.array([math.comb(len(LABELS) - count, 8) / math.comb(len(LABELS), 8) for count in counts])
    assert np.mean(met) == pytest.approx((1 - absent).sum(), abs=0.1)


def test_covering_shows_the_images_of_rich_identities_as_often_as_others() -> None:
    """As torchreid's sampler does: groups of K without repeats; an identity ends when it has no whole group left."""
    uses: Counter[int] = Counter()
    for batches in _passes("covering", 3, 4, 300):
        for batch in batches:
            people = LABELS[batch].reshape(3, 4)
            assert (people == people[:, :1]).all()
            assert len(set(people[:, 0].tolist())) == 3
        rows = batches.ravel()
        rich = np.bincount(LABELS)[LABELS[rows]] >= 4
        assert len(set(rows[rich].tolist())) == rich.sum()
        uses.update(rows.tolist())
    each = {identity: np.mean([uses[row] for row in np.flatnonzero(identity == LABELS)]) for identity in (6, 7, 8)}
    plain = IdentitySampler(LABELS, BatchConfig(ids=3, per_id=4), seed=0)
    drawn = Counter(np.concatenate([plain.batch(step) for step in range(3000)]).tolist())
    known = {identity: np.mean([drawn[row] for row in np.flatnonzero(identity == LABELS)]) for identity in (2, 6, 8)}
    assert known[2] / known[8] == pytest.approx(5, rel=0.1)  # P × K sees the images of the poor more often
    assert max(each.values()) / min(each.values()) < 1.6


def test_a_covering_pass_ends_when_too_few_identities_have_a_group_left() -> None:
    for batches in _passes("covering", 3, 4, 50):
        groups = {identity: max(1, count // 4) for identity, count in enumerate(np.bincount(LABELS))}
        for batch in batches:
            for identity in set(LABELS[batch].tolist()):
                groups[identity] -= 1
        assert min(groups.values()) >= 0
        assert sum(left > 0 for left in groups.values()) < 3


@pytest.mark.parametrize("order", ORDERS)
def test_a_batch_of_any_order_is_a_function_of_seed_and_step(order: str) -> None:
    batch = BatchConfig(ids=2, per_id=3, order=order)  # type: ignore[arg-type]
    first, again, other = (build_sampler(LABELS, batch, seed) for seed in (1, 1, 2))
    late = again.batch(57)
    rows = [first.batch(step) for step in range(60)]
    np.testing.assert_array_equal(rows[57], late)
    np.testing.assert_array_equal(again.batch(3), rows[3])
    assert any(not np.array_equal(other.batch(step), rows[step]) for step in range(3))


def test_an_order_without_identities_needs_images_only() -> None:
    assert build_sampler([1] * 8, BatchConfig(ids=4, per_id=2, order="shuffled"), 0).batch(0).shape == (8,)
    with pytest.raises(DataError, match="8 images in a batch, and the training set has 3; allowed: at most 3"):
        build_sampler([1, 2, 3], BatchConfig(ids=4, per_id=2, order="shuffled"), 0)
    with pytest.raises(DataError, match=r"batch\.ids: 4: the training set has 3 identities"):
        build_sampler([1, 2, 3], BatchConfig(ids=4, per_id=2, order="covering"), 0)


def test_pairs_begin_with_every_image_once_and_have_partners_of_the_same_and_of_other_identities() -> None:
    """As `getBatch` of Zheng et al.'s code: the first pairs of a batch show one person, the others two."""
    pairs = {"same": 0.5, "decay": 1.25, "least": 0.2}
    batch = BatchConfig(ids=6, per_id=4, order="pairs", pairs=pairs)  # type: ignore[arg-type]
    sampler, alone = PassSampler(LABELS, batch, seed=3), LABELS == 0
    steps = len(LABELS) // 12
    for turn, same in enumerate([5, 4, 3, 2, 2, 2]):
        found = np.stack([sampler.batch(step) for step in range(turn * steps, (turn + 1) * steps)])
        first, second = found.reshape(steps, 12, 2).transpose(2, 0, 1)
        assert len(set(first.ravel().tolist())) == first.size
        alike = LABELS[first] == LABELS[second]
        assert same == round(12 * max(0.2, 0.5 / 1.25 ** (turn + 1)))
        np.testing.assert_array_equal(alike | alone[first], np.tile(np.arange(12) < same, (steps, 1)) | alone[first])
        assert not alike[alone[first]].any()
        assert (first != second).all()


def test_a_partner_may_be_any_other_image() -> None:
    """Uniform over the other images of the identity, and over all images of other identities."""
    labels = np.repeat(np.arange(3), [4, 4, 8])
    batch = BatchConfig(ids=1, per_id=4, order="pairs")
    sampler, partners = PassSampler(labels, batch, seed=0), Counter[tuple[bool, int]]()
    for step in range(4000):
        for first, second in sampler.batch(step).reshape(2, 2).tolist():
            if labels[first] == 0:
                partners[bool(labels[second] == 0), second] += 1
    own, others = ([partners[same, image] for image in range(16) if partners[same, image]] for same in (True, False))
    assert (len(own), len(others)) == (4, 12)
    assert max(own) < 1.3 * min(own)
    assert max(others) < 1.5 * min(others)
