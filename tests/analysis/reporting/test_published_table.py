"""A published table, replayed as records, comes out of the reporting path as it went in.

The strong baseline, trick by trick, on Market-1501 (Luo et al. 2019, "Bag of Tricks", table 2, and its re-ranked row).
"""

import re

import pytest

import analysis
from analysis import contrasts, load_arms
from analysis.answers.ablations import summarise_ablations
from analysis.reading.arms import arms_table
from reid_search.errors import RequestError
from reid_search.records import read_state

TABLE = {  # Rank-1, mAP in per cent
    "baseline": (87.7, 74.0),
    "tricks=warm-up": (88.7, 75.2),
    "tricks=random erasing": (91.3, 79.3),
    "tricks=label smoothing": (91.4, 80.3),
    "tricks=last stride 1": (92.0, 81.7),
    "tricks=BNNeck": (94.1, 85.7),
    "tricks=centre loss": (94.5, 85.9),
}
RERANKED = {"tricks=k-reciprocal re-ranking": (95.4, 94.2)}


@pytest.fixture
def published(empty, result_of):
    empty.begin()
    for place, (arm, (rank1, mean_ap)) in enumerate({**TABLE, **RERANKED}.items()):
        key = f"{place:x}" * 16
        empty.ask_arms([arm], seeds=1, key=key, readouts={"default": "default"})
        result = result_of("test", mean_ap / 100, rank1 / 100)
        if arm in RERANKED:
            result = result.model_copy(update={"transductive": True, "scorer": "k_reciprocal"})
        empty.trial(key, 1, readouts={"default": result})
    return empty


def test_order_and_gaps_are_those_of_the_paper(published):
    arms = load_arms(published.path)
    table = contrasts(arms[arms["arm"].isin(TABLE)])
    gaps = {arm: (mean_ap - 74.0) / 100 for arm, (_, mean_ap) in TABLE.items() if arm != "baseline"}
    assert list(table["arm"]) == list(gaps)
    assert list(table["delta"]) == pytest.approx(list(gaps.values()))
    assert set(table["verdict"]) == {"no verdict"}  # one run of each arm: an effect and nothing more
    assert table["p"].isna().all()


def test_the_report_has_the_table_as_it_is(published):
    report = (analysis.write_report(published.path).parent / "report.md").read_text()
    shown = re.findall(
        r"^\| (?:tricks = )?([\w .-]+?) \| (\d\d\.\d\d) \| 1 \| 0 of 1 \([^|]* \| ([+−–][\d.]*) \|",
        report,
        re.MULTILINE,
    )
    expected = [
        (arm.removeprefix("tricks="), f"{mean_ap:.2f}", f"+{mean_ap - 74.0:.2f}" if mean_ap > 74 else "–")
        for arm, (_, mean_ap) in TABLE.items()
    ]
    assert shown[: len(expected)] == expected


def test_the_re_ranked_row_is_refused_beside_the_others_and_stands_apart(published):
    with pytest.raises(RequestError, match="transductive"):
        contrasts(load_arms(published.path))
    results = read_state(published.store)
    plain, reranked = summarise_ablations(results, arms_table(results), 0.01)
    assert list(plain.arms["arm"]) == list(TABLE)
    assert list(reranked.arms["arm"]) == list(RERANKED)
    assert [item.field for item in reranked.group.unlike] == ["transductive"]


SOURCES = {"baseline": "", "maps=truth": "maps: truth with noise 0.5", "maps=parser": "maps: predicted"}


@pytest.mark.parametrize(
    ("asked", "together"),
    [
        ("apart", [["baseline", "maps=parser"], ["maps=truth"]]),
        ("compared", [["baseline", "maps=truth", "maps=parser"]]),
    ],
)
def test_a_row_that_is_told_the_truth_stands_apart_or_is_marked_where_that_is_the_question(
    empty, result_of, study_text, asked: str, together: list[list[str]]
):
    empty.begin(study_text + f"privileged: {asked}\n")
    for place, (arm, source) in enumerate(SOURCES.items()):
        key = f"{place:x}" * 16
        empty.ask_arms([arm], seeds=1, key=key, readouts={"default": "default"})
        result = result_of("test", 0.5 + place / 10, 0.8)
        empty.trial(
            key, 1, readouts={"default": result.model_copy(update={"beside": {"test": source} if source else {}})}
        )
    found = read_state(empty.store)
    summaries = list(summarise_ablations(found, arms_table(found), 0.01))
    assert [list(one.arms["arm"]) for one in summaries] == together
    if asked == "apart":
        assert [item.field for item in summaries[1].group.unlike] == ["privileged"]
        with pytest.raises(RequestError, match="privileged"):
            contrasts(load_arms(empty.path))
    report = (analysis.write_report(empty.path).parent / "report.md").read_text()
    assert re.search(r"truth ‡ \|", report)
    assert not re.search(r"parser.‡", report)
    assert "(maps: truth with noise 0.5): told the truth in testing" in report
    assert "maps: predicted; maps: truth with noise 0.5" in report
