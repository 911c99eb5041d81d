"""How to cite a study and its data."""

import pytest

import analysis
from analysis.reading.data_sets import DataSets
from analysis.reporting.citation import DATA, citation_facts
from reid_search.records import read_state
from reid_search.study import DATASETS
from reid_search.study.trial.set_names import SetNames


@pytest.mark.parametrize("name", [name for name in DATASETS.names() if name != "several"])
def test_every_data_set_can_be_cited(name):
    assert name in DATA


def test_a_study_is_cited_with_its_release_and_commit(study):
    (label, text), (_, data) = citation_facts(read_state(study.store))
    assert label == "To cite the study"
    trials = len(list((study.path / "trials").iterdir()))
    assert text.startswith(f"Study ‘mgn’, {trials} trials, reid-search 0.1.0, commit 0123456789ab, ")
    assert data == DATA["synthetic"]


def test_the_members_of_several_data_sets_are_cited_one_by_one():
    data = {"name": "several", "train": [{"name": "market1501"}], "test": {"a": {"name": "msmt17"}}}
    assert DataSets({}, SetNames([])).kinds(data) == ["market1501", "msmt17"]


def test_a_study_without_trials_is_cited_without_data(empty):
    empty.begin("name: mgn\ntitle: Parts\n")
    assert citation_facts(read_state(empty.store)) == [
        ("To cite the study", "Parts (study ‘mgn’), 0 trials, reid-search.")
    ]


def test_the_page_says_it(study):
    assert DATA["synthetic"] in analysis.write_report(study.path).read_text()
