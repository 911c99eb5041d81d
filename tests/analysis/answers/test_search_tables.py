"""What a search reached by axis, by budget and beyond its edges, from studies on disk with numbers chosen here."""

import pandas as pd
import pytest

from analysis.answers.isolation import isolation
from analysis.answers.prices import Price, price_beyond
from analysis.answers.searches import summarise_searches
from analysis.answers.spending import spending
from analysis.reading.proposals import search_table
from reid_search.records import read_state

MARGIN = "losses.triplet.margin"


def searched(study):
    state = read_state(study.store)
    [search] = summarise_searches(state, search_table(state))
    return search


def test_the_curves_of_trials_are_read_by_epoch(study):
    search = searched(study)
    assert search.curves[0] == {1: 0.2, 2: 0.3, 3: 0.4, 4: 0.5}
    assert search.curves[4] == {1: 0.1, 2: 0.15}, "stopped"
    assert 5 not in search.curves, "failed before it was validated"
    assert [(item.epoch, item.reached, item.ends) for item in search.agreements] == [(1, 5, 4), (2, 5, 4), (3, 4, 4)]


def test_by_each_axis_alone(study):
    """Margins 0.3 to 0.6 finished with 42, 47, 44 and 53 %; two trials with a margin of 0.6 were stopped and failed."""
    table = isolation(searched(study))
    margins = table[table["axis"] == MARGIN].set_index("low")
    assert list(margins.index) == ["0.3", "0.4", "0.5", "0.6"]
    assert margins["best"].tolist() == [0.42, 0.47, 0.44, 0.53]
    assert margins["number"].tolist() == [0, 1, 2, 3]
    assert margins.loc["0.6", ["trials", "finished", "stopped", "failed"]].tolist() == [3, 1, 1, 1]
    [parts] = table[table["axis"] == "model.parts"].to_dict("records")
    assert (parts["low"], parts["high"], parts["trials"], parts["best"], parts["number"]) == (
        "[1, 2, 3]", "[1, 2, 3]", 6, 0.53, 3,
    )  # fmt: skip
    assert parts["median"] == pytest.approx(0.455)


def test_by_budget(study):
    table = spending(searched(study))
    assert table["trials"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table["images"].iloc[-1] == 4 * 2000 + 1000, "the stopped one cost what it trained"
    assert table["images_so_far"].tolist() == [2000, 4000, 6000, 8000, 9000, 9000]
    assert table["best_so_far"].tolist() == [0.42, 0.47, 0.47, 0.53, 0.53, 0.53]
    assert table["expected"].iloc[0] == pytest.approx((0.42 + 0.47 + 0.44 + 0.53) / 4)
    assert table["expected"].iloc[-1] == pytest.approx(0.53)
    assert table["expected"].is_monotonic_increasing


def test_nothing_finished_has_no_budget_curve(empty):
    empty.begin()
    key = empty.ask_proposal(0)
    empty.trial(key, 10_000, holdout=0.2, status="failed", reason="why", epochs=())
    assert spending(searched(empty)).empty
    assert isolation(searched(empty))["best"].isna().all()


def plan(study, trials, images, finalists=0):
    planned = {"phase": "search", "trials": trials, "images": images, "finalists": finalists, "objective": "val/mAP",
               "space": "5" * 16}  # fmt: skip
    study.log("run", command="reid-search run mgn.yaml", versions={}, git_commit=None, planned=[planned])


def test_a_wider_range_is_priced_as_a_whole_search(study):
    """A finished trial of the search took 10 s for 2000 images and more for four epochs: (2.5 + 0) × 4."""
    plan(study, 9, 18_000, finalists=3)
    found = price_beyond(read_state(study.store), "search", MARGIN)
    assert found == Price(9, 18_000, pytest.approx(18_000 * 10.0 / 2000), anew=True)
    assert price_beyond(read_state(study.store), "search", "model.parts") is None, "not of numbers"


def test_a_grid_pays_for_one_more_choice(empty, study_text, result_of):
    empty.begin(study_text.replace("{uniform: [0.1, 2.0], levels: [0.3, 1.2]}", "{choice: [0.3, 0.6, 0.9]}"))
    for number, margin in enumerate(("0.3", "0.6", "0.9")):
        empty.log(
            "ask", phase="search", kind="search", number=number, key=f"{number:016x}", seed=10_000, evaluate="val",
            by="grid", settings={MARGIN: margin}, space="5" * 16, params={},
        )  # fmt: skip
        empty.trial(f"{number:016x}", 10_000, holdout=0.2, readouts={"default": result_of("val", 0.1, 0.2)})
    assert price_beyond(read_state(empty.store), "search", MARGIN) is None, "an early log says nothing of its plan"
    plan(empty, 3, 6_000)
    assert price_beyond(read_state(empty.store), "search", MARGIN) == Price(1, 2_000, pytest.approx(10.0), anew=False)


def test_a_range_has_groups_of_neighbours(empty, study_text, result_of):
    empty.begin(study_text)
    for number in range(12):
        key = empty.ask_proposal(number, margin=f"{0.2 + number / 10:.1f}")
        empty.trial(key, 10_000, holdout=0.2, readouts={"default": result_of("val", 0.4 + number / 100, 0.5)})
    table = isolation(searched(empty))
    margins = table[table["axis"] == MARGIN]
    assert list(zip(margins["low"], margins["high"], strict=True)) == [
        ("0.2", "0.4"), ("0.5", "0.7"), ("0.8", "1.0"), ("1.1", "1.3"),
    ]  # fmt: skip
    assert margins["best"].tolist() == pytest.approx([0.42, 0.45, 0.48, 0.51])
    assert margins["number"].astype(int).tolist() == [2, 5, 8, 11]
    assert isinstance(table, pd.DataFrame)
