"""A report shows the names that the study gives its axes; the files of its tables keep those of the records."""

import pytest

import analysis
from analysis.reporting.labels import Labels

PARTS, MARGIN = "model.parts", "losses.triplet.margin"
LABELS = {
    PARTS: {"title": "branches", "levels": {"[1]": "one", "[1, 2, 3]": "three"}},
    MARGIN: {"title": "margin"},
    "maps": {"levels": {"none, at all": "no maps"}},
}
SHOWN = Labels.of({"axes": {PARTS: {}, MARGIN: {}, "maps": {}, "model": {}}, "labels": LABELS})
FILE = """\
title: Parts & <margins>
question: Does it take three branches?
labels:
  model.parts: {title: branches, levels: {"[1]": one, "[1, 2, 3]": three}}
  losses.triplet.margin: {title: margin}
"""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("baseline", "baseline"),
        ("model.parts=[1]", "branches: one"),
        ("model.parts=[1, 2]", "branches: [1, 2]"),
        ("model.parts=[1, 2, 3], losses.triplet.margin=0.3", "branches: three, margin: 0.3"),
        ("maps=none, at all, model.parts=[1]", "maps: no maps, branches: one"),
        ("step 2", "step 2"),
    ],
)
def test_an_arm_is_named_by_its_axes_and_levels(name, shown):
    assert SHOWN.arm(name) == shown


def test_several_axes_are_named_one_by_one():
    assert SHOWN.axis(f"{PARTS} × {MARGIN}") == "branches × margin"
    assert SHOWN.level(f"{PARTS} × {MARGIN}", "[1] × 0.3") == "one × 0.3"


def test_a_study_file_that_was_edited_by_hand_has_no_labels():
    assert not Labels.of({"axes": {PARTS: {}}, "labels": {PARTS: 3}})
    assert not Labels.of({"labels": []})


def test_every_name_on_the_page_is_that_of_the_study_file(empty, study_text):
    empty.begin(study_text + FILE)
    empty.search()
    empty.ablation(seeds=3)
    path = analysis.write_report(empty.path)
    for page in (path.read_text().replace("<wbr>", ""), (path.parent / "report.md").read_text().replace("\\", "")):
        found = page.split("Trials that did not finish")[0]
        assert "branches = one" in found
        assert not [name for name in (PARTS, MARGIN) if name in found]
    page = path.read_text()
    assert "<h1>Parts &amp; &lt;margins&gt;</h1>" in page
    assert "Does it take three branches?" in page


def test_the_tables_hold_the_names_of_the_records(empty, study_text):
    empty.begin(study_text)
    empty.search()
    empty.ablation(seeds=3)
    folder = analysis.write_report(empty.path).parent / "tables"
    plain = {path.name: path.read_bytes() for path in folder.iterdir()}
    empty.store.study_file.write_text(study_text + FILE)
    analysis.write_report(empty.path)
    assert plain == {path.name: path.read_bytes() for path in folder.iterdir()}
