"""The validation split: disjoint identities, queries that can be answered."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_search.data import split_holdout
from reid_search.errors import DataError
from reid_search.study import EvaluationRule


def _table(identities: int, cameras: int = 3, images: int = 2) -> pd.DataFrame:
    rows = [(i, c) for i in range(1, identities + 1) for c in range(1, cameras + 1) for _ in range(images)]
    return pd.DataFrame(rows, columns=["identity", "camera"])


@given(
    rows=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 3)), min_size=40, max_size=120),
    holdout=st.floats(0.2, 0.8),
    seed=st.integers(0, 5),
)
def test_split_is_identity_disjoint_whole_and_every_query_has_a_match(rows, holdout: float, seed: int) -> None:
    table = pd.DataFrame(rows, columns=["identity", "camera"])
    try:
        split = split_holdout(table, holdout, seed)
    except DataError:
        return
    assert not set(split.train["identity"]) & set(split.gallery["identity"])
    assert sorted([*split.train.index, *split.gallery.index]) == list(table.index)
    assert set(split.query.index) <= set(split.gallery.index)
    assert not split.query.duplicated(["identity", "camera"]).any()
    for _, query in split.query.iterrows():
        same = split.gallery[split.gallery["identity"] == query["identity"]]
        assert (same["camera"] != query["camera"]).any()
    for _, person in split.gallery.groupby("identity"):
        seen_by = person["camera"].nunique()
        queries = split.query[split.query["identity"] == person["identity"].iloc[0]]
        assert len(queries) == (seen_by if seen_by > 1 else 0)


@pytest.mark.parametrize(("holdout", "held"), [(0.2, 2), (0.25, 2), (0.5, 5)])
def test_the_share_is_of_identities(holdout: float, held: int) -> None:
    assert split_holdout(_table(10), holdout, 0).gallery["identity"].nunique() == held


def test_the_split_depends_on_its_seed_only() -> None:
    table = _table(20)
    first, again, other = (split_holdout(table, 0.3, seed) for seed in (1, 1, 2))
    assert first.query.index.equals(again.query.index)
    assert set(first.gallery["identity"]) != set(other.gallery["identity"])


def test_no_holdout_trains_on_everything() -> None:
    split = split_holdout(_table(5), 0.0, 0)
    assert len(split.train) == len(_table(5))
    assert split.query.empty
    assert split.gallery.empty


@pytest.mark.parametrize(
    ("table", "holdout", "message"),
    [
        (_table(10), 0.1, "data.holdout: 0.1 of 10 identities holds out 1"),
        (_table(10), 0.95, "data.holdout"),
        (_table(10, cameras=1), 0.5, "seen by two cameras"),
    ],
)
def test_a_split_that_cannot_be_made_says_why(table: pd.DataFrame, holdout: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        split_holdout(table, holdout, 0)


def test_queries_are_drawn_among_all_images_of_a_camera() -> None:
    table = _table(40, images=4)
    places = {row % 4 for seed in range(5) for row in split_holdout(table, 0.5, seed).query.index}
    assert places == set(np.arange(4))


RULES = [
    EvaluationRule(left_out=("same image",)),
    EvaluationRule(left_out=("same camera", "same clothes")),
    EvaluationRule(left_out=("same camera", "other clothes")),
    EvaluationRule(left_out=("same image",), within="clothes"),
]


def _may_match(query: pd.Series, image: pd.Series, rule: EvaluationRule) -> bool:
    same = {"image": query.name == image.name, **{name: query[name] == image[name] for name in ("camera", "clothes")}}
    left_out = any(same[item.split()[1]] == item.startswith("same") for item in rule.left_out)
    return query["identity"] == image["identity"] and not left_out and (rule.within is None or same[rule.within])


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_queries_follow_the_rule_of_the_data_set(rule: EvaluationRule) -> None:
    """One query of each person in each camera and clothes that the rule compares, where the rule leaves a match."""
    generator = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "path": [f"{row}.jpg" for row in range(60)],
            "identity": generator.integers(1, 25, 60),
            "camera": generator.integers(1, 3, 60),
            "clothes": generator.choice(["red", "blue"], 60),
        },
        index=np.arange(100, 160),
    )
    split = split_holdout(table, 0.5, 3, rule)
    kinds = ["identity", *(name for name in rule.compared if name != "image")]
    expected = {
        tuple(row[kinds])
        for _, row in split.gallery.iterrows()
        if any(_may_match(row, other, rule) for _, other in split.gallery.iterrows())
    }
    assert set(split.query[kinds].itertuples(index=False, name=None)) == expected
    assert len(split.query) == len(expected)
    assert set(split.query.index) <= set(split.gallery.index)


def test_without_cameras_each_person_with_two_images_is_one_query() -> None:
    table = pd.DataFrame({"path": list("abcdefgh"), "identity": [1, 1, 1, 2, 3, 3, 4, 4]})
    split = split_holdout(table, 0.5, 0, RULES[0])
    held = split.gallery["identity"].value_counts()
    assert sorted(split.query["identity"]) == sorted(held[held > 1].index)
    with pytest.raises(DataError, match="no held-out identity has a match under the rule 'same image'"):
        split_holdout(pd.DataFrame({"path": list("abcd"), "identity": [1, 2, 3, 4]}), 0.5, 0, RULES[0])


def test_a_column_that_the_rule_compares_must_be_known_of_every_image() -> None:
    with pytest.raises(DataError, match="compares 'clothes', which this data set lacks"):
        split_holdout(_table(10), 0.5, 0, RULES[1])
    table = _table(10).assign(clothes="red")
    table.loc[table["identity"] < 10, "clothes"] = None
    with pytest.raises(DataError, match=r"compares 'clothes', and \d+ images have none"):
        split_holdout(table, 0.5, 0, RULES[1])
