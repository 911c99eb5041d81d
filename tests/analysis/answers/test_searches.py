"""The best of each arm that a search tuned for itself."""

import pytest

from analysis import write_report
from analysis.answers.searches import summarise_searches
from analysis.reading.proposals import search_table
from analysis.statistics.shrinkage import shrunken
from reid_search.records import read_state

MARGIN, PARTS = "losses.triplet.margin", "model.parts"


def test_the_best_of_each_arm(empty, study_text, result_of):
    text = study_text.replace("trials: 6,", f"trials: 3, each: ablate, axes: [{MARGIN}],")
    empty.begin(text.replace("around: best, seeds: 3", f"around: base, seeds: 3, axes: [{PARTS}]"))
    values = {"baseline": (0.2, 0.4, None), "model.parts=[1]": (0.5, 0.3, 0.5), "model.parts=[1, 2]": (None,) * 3}
    number = 0
    for turn in range(3):
        for arm, level in zip(values, ("[1, 2, 3]", "[1]", "[1, 2]"), strict=True):
            key = f"{number:016x}"
            empty.log(
                "ask", phase="search", kind="search", number=number, key=key, seed=10_000, evaluate="val", by="tpe",
                settings={PARTS: level, MARGIN: f"0.{number + 1}"}, space="5" * 16, params={}, arm=arm,
            )  # fmt: skip
            value = values[arm][turn]
            if value is not None:
                empty.trial(key, 10_000, holdout=0.2, readouts={"default": result_of("val", value, value)})
            number += 1
    results = read_state(empty.store)
    table = search_table(results)
    assert table["arm"].tolist() == list(values) * 3
    [summary] = summarise_searches(results, table)
    assert summary.each == "arm of ablate"
    assert [(arm, row["number"], settings) for arm, row, settings in summary.best_of_each] == [
        ("baseline", 3, {MARGIN: "0.4"}),
        ("model.parts=[1]", 1, {MARGIN: "0.2"}),
    ]
    assert summary.best_settings == {PARTS: "[1]", MARGIN: "0.2"}


def test_a_table_of_proposals_names_arms_only_where_there_are_some(study):
    assert "arm" not in search_table(read_state(study.store))


def with_finalists(empty, result_of, again):
    """Five proposals, of which some were trained again on fresh seeds: number → values; None failed."""
    space, once = "5" * 16, (0.42, 0.47, 0.44, 0.53, 0.31)
    count = sum(map(len, again.values()))
    planned = {"phase": "search", "trials": 6 + count, "finalists": count, "images": 0, "objective": "val/mAP"}
    empty.begin()
    empty.log("run", planned=[planned | {"space": space}])
    for number, value in enumerate(once):
        key = empty.ask_proposal(number, margin=f"0.{number + 3}")
        empty.trial(key, 10_000, holdout=0.2, readouts={"default": result_of("val", value, value)})
        for place, fresh in enumerate(again.get(number, ())):
            seed = 1_010_000 + place
            empty.log(
                "ask", phase="search", kind="finalist", number=number, key=key, seed=seed, evaluate="val", space=space
            )
            found = {} if fresh is None else {"readouts": {"default": result_of("val", fresh, fresh)}}
            empty.trial(key, seed, holdout=0.2, status="failed" if fresh is None else "finished", **found)
    state = read_state(empty.store)
    [summary] = summarise_searches(state, search_table(state))
    return summary, once


def test_the_best_is_worth_its_fresh_seeds_shrunken(empty, result_of):
    again = {1: (0.48, 0.50), 3: (0.40, 0.42)}
    summary, once = with_finalists(empty, result_of, again)
    worth = summary.worth[""]
    assert summary.best["number"] == 1
    assert (worth.raw, worth.seeds) == (pytest.approx(0.49), 2)
    assert worth.shrunken == shrunken(worth.raw, 2, once, list(again.values()))
    assert sum(once) / 5 < worth.shrunken < worth.raw
    assert summary.proposals.set_index("number")["fresh"].dropna().to_dict() == pytest.approx({1: 0.49, 3: 0.41})
    how = "shrunken; raw 49.0, 2 fresh seeds"
    assert worth.how == how
    assert write_report(empty.path).exists()
    text = (empty.path / "report" / "report.md").read_text()
    assert f"{100 * worth.shrunken:.2f} %\n({how})" in text
    assert f"the best, \\#1, reached {100 * worth.shrunken:.1f} % val/mAP ({how}) with" in text
    page = (empty.path / "report" / "index.html").read_text()
    assert f"({how})" in page
    assert "the value that selected it counts for nothing" in page


def test_one_fresh_seed_says_nothing_of_noise(empty, result_of):
    summary, _ = with_finalists(empty, result_of, {1: (0.48,), 3: (0.40,)})
    assert (summary.worth[""].shown, summary.worth[""].how) == (0.48, "1 fresh seed")


def test_a_search_whose_finalists_are_still_training_has_the_value_that_selected_its_best(empty, result_of):
    summary, _ = with_finalists(empty, result_of, {1: (0.9, None), 3: (None, None)})
    assert summary.worth[""].seeds == 1
    empty.log(
        "ask",
        phase="search",
        kind="finalist",
        number=1,
        key="5" + "0" * 14 + "1",
        seed=9_010_000,
        evaluate="val",
        space="5" * 16,
    )
    state = read_state(empty.store)
    [summary] = summarise_searches(state, search_table(state))
    assert (summary.best["number"], summary.worth[""].shown, summary.worth[""].seeds) == (3, 0.53, 0)


def test_the_best_of_each_level_is_the_one_that_its_own_finalists_chose(empty, study_text, result_of):
    """Of [1], #0 was selected and #2 is better on fresh seeds; of [1, 2], #3 has both."""
    empty.begin(study_text.replace("trials: 6,", "trials: 2, each: model.parts, finalists: 2,"))
    planned = {"phase": "search", "trials": 12, "finalists": 8, "images": 0, "objective": "val/mAP"}
    empty.log("run", planned=[planned | {"space": "5" * 16}])
    once, again = (0.5, 0.2, 0.4, 0.3), ((0.3, 0.32), (0.1, 0.12), (0.4, 0.42), (0.2, 0.22))
    for number, (value, fresh) in enumerate(zip(once, again, strict=True)):
        ask = {"phase": "search", "number": number, "key": f"{number:016x}", "evaluate": "val", "space": "5" * 16}
        settings = {PARTS: ("[1]", "[1, 2]")[number % 2], MARGIN: f"0.{number + 1}"}
        for seed, measured in ((10_000, value), (1_010_000, fresh[0]), (2_010_000, fresh[1])):
            kind = "search" if seed == 10_000 else "finalist"
            empty.log("ask", **ask, kind=kind, seed=seed, settings=settings, by="tpe")
            empty.trial(ask["key"], seed, holdout=0.2, readouts={"default": result_of("val", measured, measured)})
    state = read_state(empty.store)
    [summary] = summarise_searches(state, search_table(state))
    found = {
        level: (row["number"], summary.worth[level].raw, settings) for level, row, settings in summary.best_of_each
    }
    assert found == {
        "[1]": (2, pytest.approx(0.41), {MARGIN: "0.3"}),
        "[1, 2]": (3, pytest.approx(0.21), {MARGIN: "0.4"}),
    }
    write_report(empty.path)
    text = (empty.path / "report" / "report.md").read_text()
    assert "41.00 (2 fresh seeds)" in text
    assert "the best of each were trained again" in text
    assert "These values selected the settings" not in text
