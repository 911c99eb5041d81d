"""The state of a study, and a store that the code before the typed log wrote."""

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.answers.family import family_of
from reid_search.errors import RecordError, RequestError
from reid_search.records import (
    ArmAsked,
    LogWriter,
    PlannedPhase,
    Proposal,
    ReadoutResult,
    RunStarted,
    Status,
    StudyStore,
    Trial,
    TrialId,
    read_state,
)
from reid_search.records.best import best_of
from reid_search.records.trial import own_readout, standing_readout

STORES = Path(__file__).parents[1] / "stores"


def test_an_older_store_has_the_numbers_that_it_had(before: Path) -> None:
    state = read_state(StudyStore.at(before))
    assert state.problems == ()
    search = pd.read_csv(STORES / "before_search.csv")
    proposals = state.searches["search"]
    assert [(item.number, item.key) for item in proposals] == list(zip(search["number"], search["key"], strict=True))
    assert [state.value(item) for item in proposals] == [None if pd.isna(v) else v for v in search["value"]]
    assert state.objective("search") == "val/rank1"
    assert state.best("search") == proposals[search["value"].idxmax()]
    arms = pd.read_csv(STORES / "before_arms.csv")
    asks = [ask for phase in arms["phase"].unique() for ask in state.ablations[phase]]
    assert [(ask.phase, ask.arm, ask.key, ask.seed) for ask in asks] == list(
        arms[["phase", "arm", "key", "seed"]].itertuples(index=False, name=None)
    )
    assert [state.value(ask) for ask in asks] == list(arms["test/mAP"])
    assert [state.readout(ask) for ask in asks] == list(arms["stored_as"])
    assert {state.status(ask) for ask in asks} == {Status.FINISHED}
    family = family_of(state.store, state.history)
    assert [family.past(claim.name).seeds_at_looks for claim in state.claims] == [[3, 4], [3, 4]]
    assert [claim.name for claim in state.claims] == ["two branches beat one", "reduced beats coarse"]


def test_proposals_of_an_earlier_space_are_no_longer_asked_for(before: Path) -> None:
    history = read_state(StudyStore.at(before)).history
    spaces = list(dict.fromkeys(ask.space for ask in history.asks if isinstance(ask, Proposal)))
    assert len(spaces) == 2
    assert {ask.space for ask in history.asks_now() if isinstance(ask, Proposal)} == {spaces[-1]}
    assert {item.space for item in history.proposals("search", spaces[0])} == {spaces[0]}


def test_arms_that_share_a_training_have_numbers_of_their_own(before: Path) -> None:
    state = read_state(StudyStore.at(before))
    shared = [asks for asks in state.askers.values() if len({state.readout(ask) for ask in asks}) > 1]
    assert shared
    for asks in shared:
        assert len({state.value(ask) for ask in asks if isinstance(ask, ArmAsked)}) > 1


def test_a_folder_without_a_study(tmp_path: Path) -> None:
    (tmp_path / "mgn").mkdir()
    (tmp_path / "mgn" / "asked.jsonl").touch()
    with pytest.raises(RequestError, match="did you mean 'mgn'"):
        read_state(StudyStore(tmp_path, "mgm"))


def test_a_study_file_that_the_log_has_never_seen(tmp_path: Path) -> None:
    store = StudyStore(tmp_path, "new")
    store.write_study({"name": "new", "phases": [{"kind": "search", "name": "s", "objective": "val/mINP"}]})
    state = read_state(store)
    assert (state.name, state.objective("s"), state.searches, state.ablations) == ("new", "val/mINP", {}, {})


def test_the_planned_objective_counts_until_the_edited_study_is_run_again(tmp_path: Path) -> None:
    store = StudyStore(tmp_path, "edited")
    phases = [{"kind": "search", "name": name, "objective": "val/mINP"} for name in ("s", "later")]
    store.write_study({"name": "edited", "phases": phases})
    plan = PlannedPhase(phase="s", trials=2, images=0, objective="val/rank1", space="f")
    LogWriter(store.log, RunStarted(planned=(plan,)))
    state = read_state(store)
    assert (state.objective("s"), state.objective("later"), state.objective("gone")) == (
        "val/rank1", "val/mINP", "val/mAP"
    )  # fmt: skip


def test_an_askers_own_metric(tmp_path: Path) -> None:
    store = StudyStore(tmp_path, "asks")
    store.write_study({"name": "asks", "phases": [{"kind": "search", "name": "s", "objective": "val/rank5"}]})
    state = read_state(store)
    proposal = Proposal(phase="s", key="k", seed=1, evaluate="val", number=0)
    arms = [ArmAsked(phase="a", key="k", seed=1, evaluate=split, arm="x") for split in ("val", "test")]
    assert [state.metric(ask) for ask in (proposal, *arms)] == ["val/rank5", "val/mAP", "test/mAP"]


def test_a_record_of_a_newer_version_is_refused(before: Path) -> None:
    path = sorted((before / "trials").glob("*/record.json"))[0]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 2}))
    with pytest.raises(RecordError, match=r"schema_version 2; this release reads 1 to 1"):
        read_state(StudyStore.at(before))
    state = read_state(StudyStore.at(before), tolerant=True)
    assert state.trials[TrialId.parse(path.parent.name)].status == Status.UNREADABLE  # type: ignore[index]


def test_the_standing_readout() -> None:
    assert standing_readout(["a", "default"]) == "default"
    assert standing_readout(["b", "a"]) == "b"
    assert standing_readout([]) is None
    ask = ArmAsked(phase="a", key="k", seed=1, evaluate="test", arm="x", readouts={"b": "b-1", "a": "a"})
    assert own_readout(ask, None) == "b-1"


def test_the_best_is_the_earliest_of_equals(before: Path) -> None:
    trials = read_state(StudyStore.at(before)).trials
    record = next(trial.record for trial in trials.values() if trial.record and trial.status == Status.FINISHED)

    def trial(number: int, value: float) -> Trial:
        measured = ReadoutResult(config={}, dim=1, metrics={"val/mAP": value})
        filled = record.model_copy(update={"readouts": {"default": measured}})
        return Trial(TrialId(str(number), 1), Status.FINISHED, record=filled)

    made = [trial(number, value) for number, value in enumerate((0.2, 0.5, 0.5))]
    asks = [
        Proposal(phase="s", key=item.key, seed=1, evaluate="val", number=number, readouts={"default": "default"})
        for number, item in enumerate(made)
    ]
    by_id = {item.id: item for item in made}
    assert best_of(asks, by_id, "val/mAP") == asks[1]
    assert best_of(asks, by_id, "val/rank1") is None


@pytest.mark.parametrize("name", ["abc-s", "-s3", "abc", "abc-s-1", "abc-sx"])
def test_no_name_of_a_trial(name: str) -> None:
    assert TrialId.parse(name) is None


def test_a_trial_id_is_read_as_it_is_written() -> None:
    assert TrialId.parse(str(TrialId("2.ab-s1", 10_000))) == TrialId("2.ab-s1", 10_000)
