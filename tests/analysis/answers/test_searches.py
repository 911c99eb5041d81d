"""The best of each arm that a search tuned for itself."""

from analysis.answers.searches import summarise_searches
from analysis.reading.proposals import search_table
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
