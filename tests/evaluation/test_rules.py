"""Rules other than that of Market-1501: against plain loops, a published evaluator, and what must not matter."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reid_search.evaluation import EvaluationError, chance_mean_ap, evaluate_distances, evaluate_ranking
from reid_search.study import EvaluationRule, SingleShot

CASES = 300
CLOTHES_CHANGING = EvaluationRule(left_out=("same clothes", "same camera"))
SAME_CLOTHES = EvaluationRule(left_out=("same camera", "other clothes"))
ITSELF = EvaluationRule(left_out=("same image",))
ONE_ACTION = EvaluationRule(left_out=("same image",), within="action")
RULES = [EvaluationRule(), CLOTHES_CHANGING, SAME_CLOTHES, ITSELF, ONE_ACTION]
COLUMNS = ("camera", "clothes", "image", "action")


@dataclass(frozen=True)
class Images:
    """Queries or a gallery: identities, and lists of labels by column."""

    ids: list[int]
    columns: dict[str, list[object]]

    def __len__(self) -> int:
        return len(self.ids)

    def at(self, places) -> "Images":
        columns = {name: [values[place] for place in places] for name, values in self.columns.items()}
        return Images([self.ids[place] for place in places], columns)


def _keywords(query: Images, gallery: Images, rule: EvaluationRule) -> dict[str, object]:
    columns = {name: (query.columns[name], gallery.columns[name]) for name in rule.compared}
    return {"query_ids": query.ids, "gallery_ids": gallery.ids, "columns": columns, "rule": rule}


def _random(generator: np.random.Generator) -> tuple[Images, Images, np.ndarray]:
    """A gallery with junk and distractors, in which some queries lie themselves; every other case is full of ties."""
    count, identities = int(generator.integers(1, 25)), int(generator.integers(1, 5))
    gallery = Images(
        generator.integers(-1, identities + 1, count).tolist(),
        {
            "camera": generator.integers(0, 3, count).tolist(),
            "clothes": [str(item) for item in generator.choice(["red", "blue", "stripes"], count)],
            "image": [f"gallery/{place}.jpg" for place in range(count)],
            "action": generator.integers(0, 2, count).tolist(),
        },
    )
    inside = [place for place in range(count) if gallery.ids[place] > 0][:3]
    outside = Images(
        generator.integers(1, identities + 2, 3).tolist(),
        {
            "camera": generator.integers(0, 3, 3).tolist(),
            "clothes": [str(item) for item in generator.choice(["red", "blue"], 3)],
            "image": [f"query/{place}.jpg" for place in range(3)],
            "action": generator.integers(0, 2, 3).tolist(),
        },
    )
    shared = gallery.at(inside)
    columns = {name: [*shared.columns[name], *outside.columns[name]] for name in COLUMNS}
    query = Images([*shared.ids, *outside.ids], columns)
    shape = (len(query), count)
    distances = generator.integers(0, 4, shape).astype(float) if generator.random() < 0.5 else generator.random(shape)
    return query, gallery, distances


def _takes_no_rank(query: Images, q: int, gallery: Images, g: int, rule: EvaluationRule) -> bool:
    """The rule of each data set in its own words."""
    same = {name: query.columns[name][q] == gallery.columns[name][g] for name in COLUMNS}
    own = query.ids[q] == gallery.ids[g]
    by_rule = {
        EvaluationRule(): own and same["camera"],
        CLOTHES_CHANGING: own and (same["clothes"] or same["camera"]),
        SAME_CLOTHES: own and (same["camera"] or not same["clothes"]),
        ITSELF: same["image"],
        ONE_ACTION: same["image"] or not same["action"],
    }
    return gallery.ids[g] == -1 or by_rule[rule]


def _remaining(query: Images, q: int, gallery: Images, row: np.ndarray, rule: EvaluationRule) -> list[bool]:
    """Which of the images that remain are matches, nearest first; at a tie, matches come last."""
    left = [
        (row[g], gallery.ids[g] == query.ids[q])
        for g in range(len(gallery))
        if not _takes_no_rank(query, q, gallery, g, rule)
    ]
    return [match for _, match in sorted(left)]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_agrees_with_plain_loops_on_random_cases(rule):
    generator = np.random.default_rng(3)
    seen = {"no match at all": 0, "some without match": 0}
    for _ in range(CASES):
        query, gallery, distances = _random(generator)
        expected = []
        for q, row in enumerate(distances):
            matches = _remaining(query, q, gallery, row, rule)
            ranks = [rank for rank, match in enumerate(matches, start=1) if match]
            precision = [found / rank for found, rank in enumerate(ranks, start=1)]
            expected.append((np.mean(precision), ranks[0]) if ranks else (np.nan, 0))
        if all(first == 0 for _, first in expected):
            seen["no match at all"] += 1
            with pytest.raises(EvaluationError, match="queries has a match"):
                evaluate_distances(distances, **_keywords(query, gallery, rule))
            continue
        result = evaluate_distances(distances, **_keywords(query, gallery, rule), max_rank=5)
        seen["some without match"] += not result.valid.all()
        assert_allclose(result.average_precision, [value for value, _ in expected], rtol=0, atol=1e-12)
        assert_array_equal(result.first_match_rank, [first for _, first in expected])
        assert result.queries_without_match == sum(first == 0 for _, first in expected)
        shares = [np.mean([first <= k for _, first in expected if first]) for k in range(1, 6)]
        assert_allclose(result.cmc, shares, rtol=0, atol=1e-12)
    assert min(seen.values()) > 3, seen


def _measured(generator, rule):
    """Yield random cases of which something can be measured, with what was."""
    found = 0
    while found < 30:
        query, gallery, distances = _random(generator)
        try:
            result = evaluate_distances(distances, **_keywords(query, gallery, rule))
        except EvaluationError:
            continue
        found += 1
        yield query, gallery, distances, result


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_order_names_and_distance_scale_do_not_matter(rule):
    """The order of the gallery, the names of clothes and actions, and a monotone change of the distances."""
    generator = np.random.default_rng(4)
    for query, gallery, distances, result in _measured(generator, rule):
        order = generator.permutation(len(gallery))
        again = evaluate_distances(np.sqrt(distances)[:, order], **_keywords(query, gallery.at(order), rule))
        assert_array_equal(again.per_query, result.per_query)
        codes = {name: list(dict.fromkeys([*query.columns[name], *gallery.columns[name]])) for name in COLUMNS}
        renamed = [
            Images(part.ids, {name: [codes[name].index(item) for item in part.columns[name]] for name in COLUMNS})
            for part in (query, gallery)
        ]
        assert_array_equal(evaluate_distances(distances, **_keywords(*renamed, rule)).per_query, result.per_query)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_what_the_rule_leaves_out_may_be_anywhere(rule):
    generator = np.random.default_rng(5)
    for query, gallery, distances, result in _measured(generator, rule):
        moved = distances.copy()
        for q, g in itertools.product(range(len(query)), range(len(gallery))):
            if _takes_no_rank(query, q, gallery, g, rule):
                moved[q, g] = generator.choice([-5.0, 5.0])
        again = evaluate_distances(moved, **_keywords(query, gallery, rule))
        assert_array_equal(again.per_query, result.per_query)


def test_features_are_ranked_by_the_rule_in_chunks_of_any_size():
    generator = np.random.default_rng(6)
    for rule in RULES:
        query, gallery, _ = _random(generator)
        while len(gallery) < 15:
            query, gallery, _ = _random(generator)
        features = generator.normal(size=(len(query), 4)), generator.normal(size=(len(gallery), 4))
        unit = [item / np.linalg.norm(item, axis=1, keepdims=True) for item in features]
        plain = evaluate_distances(1 - unit[0] @ unit[1].T, **_keywords(query, gallery, rule))
        for size in (1, 2, 100):
            found = evaluate_ranking(*features, **_keywords(query, gallery, rule), chunk_size=size)
            assert_array_equal(found.per_query, plain.per_query)


def _clothes_of_ccreid(distances, q_pids, g_pids, q_camids, g_camids, q_clothes, g_clothes, mode):
    """What `evaluate_with_clothes` of guxinqian/Simple-CCReID computes from good and junk images: mAP, CMC."""
    precisions, curves = [], []
    for q, row in enumerate(distances):
        own, seen, worn = (
            set(np.flatnonzero(values == value))
            for values, value in ((g_pids, q_pids[q]), (g_camids, q_camids[q]), (g_clothes, q_clothes[q]))
        )
        if mode == "CC":
            good, junk = own - seen - worn, (own & seen) | (own & worn)
        else:
            good, junk = (own - seen) & worn, (own & seen) | (own - worn)
        if not good:
            continue
        index = [place for place in np.argsort(row) if place not in junk]
        places = np.flatnonzero([place in good for place in index])
        precisions.append(np.mean([(found + 1) / (place + 1) for found, place in enumerate(places)]))
        curves.append(np.arange(10) >= places[0])
    return np.mean(precisions), np.mean(curves, axis=0)


@pytest.mark.parametrize(("rule", "mode"), [(CLOTHES_CHANGING, "CC"), (SAME_CLOTHES, "SC")])
def test_the_rules_of_ltcc_agree_with_the_evaluator_of_ccreid(rule, mode):
    generator = np.random.default_rng(7)
    q_pids, g_pids = generator.integers(1, 9, 40), generator.integers(1, 9, 300)
    q_camids, g_camids = generator.integers(0, 4, 40), generator.integers(0, 4, 300)
    q_clothes, g_clothes = (ids * 3 + generator.integers(0, 3, len(ids)) for ids in (q_pids, g_pids))
    distances = generator.random((40, 300))
    result = evaluate_distances(
        distances, query_ids=q_pids, gallery_ids=g_pids, query_cameras=q_camids, gallery_cameras=g_camids,
        columns={"clothes": (q_clothes, g_clothes)}, rule=rule, max_rank=10,
    )  # fmt: skip
    mean, cmc = _clothes_of_ccreid(distances, q_pids, g_pids, q_camids, g_camids, q_clothes, g_clothes, mode)
    assert result.mean_ap == pytest.approx(mean, abs=1e-12)
    assert_allclose(result.cmc, cmc, atol=1e-12)


def test_without_cameras_a_query_that_lies_in_the_gallery_does_not_find_itself():
    """Three pictures of each of two people, all in one folder."""
    ids, files = [1, 1, 1, 2, 2, 2], list("abcdef")
    distances = np.where(np.array(ids)[:, None] == ids, 2.0, 1.0)
    np.fill_diagonal(distances, 0.0)
    result = evaluate_distances(
        distances, query_ids=ids, gallery_ids=ids, columns={"image": (files, files)}, rule=ITSELF
    )
    assert result.first_match_rank.tolist() == [4] * 6
    assert_allclose(result.average_precision, (1 / 4 + 2 / 5) / 2)


def test_a_column_that_the_rule_compares_must_be_given():
    with pytest.raises(EvaluationError, match=r"compares 'clothes', which is not given"):
        evaluate_distances([[1.0]], query_ids=[1], gallery_ids=[1], query_cameras=[0], gallery_cameras=[1],
                           rule=CLOTHES_CHANGING)  # fmt: skip
    with pytest.raises(EvaluationError, match=r"columns\['image'\] of the gallery: shape \(2,\); expected \(1,\)"):
        evaluate_distances([[1.0]], query_ids=[1], gallery_ids=[1], columns={"image": (["a"], ["a", "b"])}, rule=ITSELF)
    with pytest.raises(EvaluationError, match="compares 'camera', which is not given"):
        evaluate_distances([[1.0]], query_ids=[1], gallery_ids=[1])


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_chance_is_the_mean_over_all_rankings(rule):
    generator = np.random.default_rng(8)
    compared = 0
    while compared < 3:
        query, gallery, _ = _random(generator)
        if len(gallery) > 6:
            continue
        keywords = _keywords(query, gallery, rule)
        try:
            chance = chance_mean_ap(**keywords)
        except EvaluationError:
            continue
        orders = itertools.permutations(range(len(gallery)))
        scores = [evaluate_distances([order] * len(query), **keywords).mean_ap for order in orders]
        assert chance == pytest.approx(np.mean(scores), abs=1e-12)
        compared += 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"left_out": []},
        {"left_out": ["camera"]},
        {"within": "action", "single_shot": {}},
        {"single_shot": {"draws": 0}},
    ],
)
def test_a_rule_that_means_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match=r"left_out|within|draws"):
        EvaluationRule.model_validate(wrong)


def test_different_rules_have_different_words():
    rules = [*RULES, *(EvaluationRule(single_shot=SingleShot(**item)) for item in (
        {}, {"draws": 11}, {"seed": 1}, {"per": "identity and camera"}))]  # fmt: skip
    assert len({str(rule) for rule in rules}) == len(rules)
    assert str(EvaluationRule()) == "same camera"
