"""The validation split: disjoint identities, queries that can be answered."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_search.data import split_holdout
from reid_search.errors import DataError


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
