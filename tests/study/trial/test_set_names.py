"""Names of data sets differ where the sets do, and say no more than that needs."""

import pytest

from reid_search.study.trial.set_names import Entries, names_of

MARKET = {"name": "market1501", "root": "/a/market"}
LABELLED = {"name": "cuhk03", "boxes": "labelled", "root": "/c"}
DRAWN = {"name": "synthetic", "preset": "small"}


@pytest.mark.parametrize(
    ("sets", "named"),
    [
        ([MARKET, DRAWN, MARKET], ["market1501", "synthetic", "market1501"]),
        ([MARKET, {**MARKET, "root": "/a/other"}], ["market1501 (in market)", "market1501 (in other)"]),
        ([MARKET, {**MARKET, "root": "/b/market"}], ["market1501 (in a/market)", "market1501 (in b/market)"]),
        ([MARKET, {**MARKET, "root": "/market"}], ["market1501 (in a/market)", "market1501 (in /market)"]),
        ([LABELLED, {**LABELLED, "boxes": "detected"}], ["cuhk03 (boxes labelled)", "cuhk03"]),
        ([LABELLED, {**LABELLED, "root": "/d"}], ["cuhk03 (boxes labelled, in c)", "cuhk03 (boxes labelled, in d)"]),
        ([DRAWN, {**DRAWN, "seed": 4}], ["synthetic", "synthetic (seed 4)"]),
    ],
)
def test_sets_have_names_of_their_own(sets: list[Entries], named: list[str]) -> None:
    assert names_of(sets) == named
