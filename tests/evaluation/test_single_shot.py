"""Random galleries of one image an identity: against torchreid's definition, plain loops, and what must not matter."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reid_search.evaluation import EvaluationError, chance_mean_ap, evaluate_distances
from reid_search.evaluation.labels import Labels
from reid_search.evaluation.single_shot import Draws
from reid_search.study import EvaluationRule, SingleShot
from reid_search.study.metrics import METRICS, measured_under


def _rule(**settings) -> EvaluationRule:
    return EvaluationRule(single_shot=SingleShot(**settings))


def _orders(count: int, rule: EvaluationRule) -> list[np.ndarray]:
    """The random orders of the gallery that the draws promise."""
    config = rule.single_shot
    return [np.random.default_rng([config.seed, draw]).permutation(count) for draw in range(config.draws)]


def _labels(generator: np.random.Generator, lowest: int = -1) -> dict[str, np.ndarray]:
    identities, gallery = int(generator.integers(2, 6)), int(generator.integers(4, 40))
    return {
        "query_ids": generator.integers(1, identities + 1, 6),
        "gallery_ids": generator.integers(lowest, identities + 1, gallery),
        "query_cameras": generator.integers(0, 2, 6),
        "gallery_cameras": generator.integers(0, 2, gallery),
    }


def _cmc_of_torchreid(distances, q_pids, g_pids, q_camids, g_camids, orders, max_rank):
    """What `eval_cuhk03` of KaiyangZhou/deep-person-reid computes: the CMC in draws, and the mAP without them.

    Of the filtered and sorted gallery, one place is chosen for each identity; here the image that comes first in the
    draw's order, in place of `np.random.choice`.
    """
    all_cmc, all_ap = [], []
    for q in range(len(q_pids)):
        order = np.argsort(distances[q])
        keep = ~((g_pids[order] == q_pids[q]) & (g_camids[order] == q_camids[q]))
        kept, raw = order[keep], (g_pids[order] == q_pids[q])[keep]
        if not raw.any():
            continue
        curve = np.zeros(max_rank)
        for positions in (np.argsort(item) for item in orders):
            mask = np.zeros(len(raw), dtype=bool)
            for pid in set(g_pids[kept]):
                places = np.flatnonzero(g_pids[kept] == pid)
                mask[places[np.argmin(positions[kept[places]])]] = True
            found = np.minimum(raw[mask].cumsum(), 1)
            curve += np.concatenate([found, np.ones(max(0, max_rank - len(found)))])[:max_rank]
        all_cmc.append(curve / len(orders))
        precision = raw.cumsum() / np.arange(1, len(raw) + 1)
        all_ap.append((precision * raw).sum() / raw.sum())
    return np.mean(all_cmc, axis=0), np.mean(all_ap)


def test_agrees_with_the_definition_of_torchreid_for_the_same_draws():
    generator, rule = np.random.default_rng(0), _rule(draws=10, seed=5)
    compared = 0
    while compared < 60:
        labels = _labels(generator, lowest=1)
        distances = generator.random((6, len(labels["gallery_ids"])))
        try:
            result = evaluate_distances(distances, **labels, rule=rule, max_rank=10)
        except EvaluationError:
            continue
        cmc, mean_ap = _cmc_of_torchreid(
            distances, *labels.values(), _orders(len(labels["gallery_ids"]), rule), max_rank=10
        )
        assert_allclose(result.cmc, cmc, atol=1e-12)
        assert result.mean_ap == pytest.approx(mean_ap, abs=1e-12)
        for k in (1, 5, 10):
            assert result.mean(METRICS[f"single_shot_rank{k}"]) == pytest.approx(cmc[k - 1], abs=1e-12)
        compared += 1


@pytest.mark.parametrize("per", ["identity", "identity and camera"])
def test_agrees_with_plain_loops_on_random_cases(per):
    """With ties, junk, distractors, and queries without a match: each draw's gallery is ranked by itself."""
    generator, rule = np.random.default_rng(1), _rule(draws=3, per=per)
    seen = {"without match": 0, "distractors": 0}
    for _ in range(200):
        labels = _labels(generator)
        q_ids, g_ids, q_cams, g_cams = (item.tolist() for item in labels.values())
        distances = generator.integers(0, 4, (6, len(g_ids))).astype(float)
        expected = np.full((6, 2), np.nan)
        for q in range(6):
            precisions, firsts = [], []
            for order in _orders(len(g_ids), rule):
                drawn = {}
                for g in order.tolist():
                    if g_ids[g] == -1 or (g_ids[g] == q_ids[q] and g_cams[g] == q_cams[q]):
                        continue
                    person = ("distractor", g) if g_ids[g] == 0 else (g_ids[g], g_cams[g] if per != "identity" else 0)
                    drawn.setdefault(person, g)
                ranked = sorted((distances[q, g], g_ids[g] == q_ids[q]) for g in drawn.values())
                ranks = [rank for rank, (_, match) in enumerate(ranked, start=1) if match]
                if ranks:
                    precisions.append(np.mean([found / rank for found, rank in enumerate(ranks, start=1)]))
                    firsts.append(ranks[0] <= 1)
            if precisions:
                expected[q] = np.mean(precisions), np.mean(firsts)
        if np.isnan(expected).all():
            continue
        result = evaluate_distances(distances, **labels, rule=rule)
        assert_allclose(result.column("single_shot_average_precision"), expected[:, 0], atol=1e-12)
        assert_allclose(result.column("single_shot_rank1"), expected[:, 1], atol=1e-12)
        seen["without match"] += not result.valid.all()
        seen["distractors"] += 0 in g_ids
    assert min(seen.values()) > 50, seen


def test_each_draw_has_one_image_of_each_person_and_all_are_drawn_alike():
    ids = np.array([1, 1, 1, 2, 2, 3, 0, 0, -1])
    labels = Labels.checked([1], ids, {"camera": ([9], np.zeros(9, int))}, (1, 9))
    draws = Draws.drawn(labels, SingleShot(draws=600))
    assert draws.places.shape == (600, 5)
    assert (np.sort(ids[draws.places], axis=1) == [0, 0, 1, 2, 3]).all()
    counts = np.bincount(draws.places.ravel(), minlength=9)
    assert counts[[5, 6, 7, 8]].tolist() == [600, 600, 600, 0]
    assert np.abs(counts[:3] / 600 - 1 / 3).max() < 0.08
    assert np.abs(counts[3:5] / 600 - 1 / 2).max() < 0.08


def test_more_draws_keep_the_first_ones_and_another_seed_draws_others():
    labels = Labels.checked([1], np.repeat([1, 2, 3], 20), {"camera": ([9], np.zeros(60, int))}, (1, 60))
    few, many, other = (Draws.drawn(labels, SingleShot(draws=n, seed=s)) for n, s in ((3, 1), (9, 1), (3, 2)))
    assert_array_equal(many.places[:3], few.places)
    assert (other.places != few.places).any()


def test_with_one_image_of_everyone_it_is_the_whole_gallery():
    generator = np.random.default_rng(2)
    for _ in range(30):
        count = int(generator.integers(2, 15))
        labels = {"query_ids": np.arange(1, count + 1), "query_cameras": np.zeros(count, int),
                  "gallery_ids": np.arange(1, count + 1), "gallery_cameras": np.ones(count, int)}  # fmt: skip
        result = evaluate_distances(generator.integers(0, 5, (count, count)), **labels, rule=_rule(draws=4))
        assert_array_equal(result.column("single_shot_average_precision"), result.average_precision)
        assert_array_equal(result.column("single_shot_rank5"), result.first_match_rank <= 5)


def test_a_collapsed_network_gains_nothing():
    ids = np.repeat(np.arange(1, 21), 3)
    labels = {"query_ids": ids, "gallery_ids": ids, "query_cameras": np.tile([0, 1, 2], 20),
              "gallery_cameras": np.tile([0, 1, 2], 20)}  # fmt: skip
    result = evaluate_distances(np.zeros((60, 60)), **labels, rule=_rule())
    assert result.mean(METRICS["single_shot_rank10"]) == 0.0
    assert result.mean(METRICS["single_shot_mAP"]) == pytest.approx(1 / 20)


@pytest.mark.parametrize("per", ["identity", "identity and camera"])
def test_chance_is_the_mean_over_all_rankings(per):
    labels = {"query_ids": [1, 2], "query_cameras": [0, 0],
              "gallery_ids": [1, 1, 2, 3, 0, 1], "gallery_cameras": [1, 0, 1, 1, 0, 2]}  # fmt: skip
    rule = _rule(draws=2, per=per)
    metric = METRICS["single_shot_mAP"]
    orders = itertools.permutations(range(6))
    scores = [evaluate_distances([order, order], **labels, rule=rule).mean(metric) for order in orders]
    assert chance_mean_ap(**labels, rule=rule, single_shot=True) == pytest.approx(np.mean(scores), abs=1e-12)


def test_chance_in_draws_needs_draws():
    with pytest.raises(EvaluationError, match="the rule 'same camera' draws no galleries"):
        chance_mean_ap(query_ids=[1], gallery_ids=[1], query_cameras=[0], gallery_cameras=[1], single_shot=True)


def test_rank_k_of_the_whole_gallery_is_not_mistaken_for_that_of_draws():
    names = [metric.name for metric in measured_under(_rule())]
    assert [name for name in names if "rank" in name] == [f"single_shot_rank{k}" for k in (1, 5, 10)]
    assert {"mAP", "single_shot_mAP"} < set(names)
    assert not any(metric.single_shot for metric in measured_under(EvaluationRule()))
