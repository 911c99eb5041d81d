"""MLflow holds what the store holds, however often and after whatever it is brought up to date."""

import csv
import io
import json
import math
import shutil

import pytest

from reid_search.records import (
    CodeVersion,
    FinalistAsked,
    LogWriter,
    PlannedPhase,
    RunDone,
    RunStarted,
    StudyStore,
    TrialId,
)
from reid_search.records.files import write_atomically
from reid_search.records.locks import locked
from reid_search.tracking import Projection, sync_study
from reid_search.tracking.trial_runs import trial_runs


def test_a_finished_trial(study, tracked):
    study.ask(0, "a", 10_000)
    study.whole("a", 10_000)
    result = sync_study(study.store)
    assert (result.written, result.unchanged, result.warnings) == (2, 0, [])
    run = tracked.trial("a", 10_000)
    assert (run.info.run_name, run.info.status, run.data.tags["status"]) == ("#0", "FINISHED", "finished")
    assert {
        name: run.data.tags[name] for name in ("arm", "phase", "key", "seed", "git_commit", "data_fingerprint")
    } == {
        "arm": "#0",
        "phase": "search",
        "key": "a",
        "seed": "10000",
        "git_commit": "0123456789abcdef",
        "data_fingerprint": "00ff",
    }
    assert "reason" not in run.data.tags
    assert run.data.params == {
        "data.name": "synthetic",
        "data.image_size": "[64, 32]",
        "losses.triplet.on": "globals",
        "losses.triplet.margin": "1.2",
        "training.threads": "1",
        "training.schedule": "none",
        "training.extra": "{}",
        "readouts.default.taps": '["reduced"]',
        "readouts.default.flip": "true",
    }
    assert run.info.end_time - run.info.start_time == 8_000


def test_the_code_that_measured_a_trial_is_tagged_by_the_record_s_names(study, tracked):
    study.whole("a", 1)
    sync_study(study.store)
    assert not [name for name in tracked.trial("a", 1).data.tags if name.startswith(("code", "tested_by"))], "not noted"

    folder = study.store.trial("a", 1)
    noted = {"numerics": 1, "torch": "2.15.0", "libraries": {"timm": "1.0", "numpy": "2.4"}, "source": "0123abcd"}
    code = CodeVersion(**noted, components={"models.mgn": "aaaaaaaa"})
    tested_by = code.model_copy(update={"torch": "2.16.0"})
    folder.write_record(folder.record().model_copy(update={"code": code, "tested_by": tested_by}))
    sync_study(study.store)
    tagged = {
        "numerics": "1",
        "torch": "2.15.0",
        "libraries": "numpy 2.4, timm 1.0",
        "source": "0123abcd",
        "components": "models.mgn aaaaaaaa",
    }
    found = {name: value for name, value in tracked.trial("a", 1).data.tags.items() if "." in name}
    assert found.items() >= {f"code.{name}": value for name, value in tagged.items()}.items()
    assert (
        found.items() >= {f"tested_by.{name}": value for name, value in (tagged | {"torch": "2.16.0"}).items()}.items()
    )

    folder.write_record(folder.record().model_copy(update={"tested_by": None}))
    tracked.client.set_tag(tracked.trial("a", 1).info.run_id, "code.review", "done")
    sync_study(study.store)
    left = tracked.trial("a", 1).data.tags
    assert left["code.torch"] == "2.15.0"
    assert left["code.review"] == "done", "a person's own"
    assert not [name for name in left if name.startswith("tested_by")], "measured again with one code"


def test_metrics_of_a_finished_trial(study, tracked):
    readouts = {"default": {"test/mAP": 0.61, "val/mAP": 0.45}, "default-3f": {"test/mAP": 0.6}, "x": {"test/mAP": 1}}
    study.ask("baseline", "a", 1, readouts={"cut": "default-3f", "default": "default"})
    study.whole("a", 1, readouts=readouts)
    sync_study(study.store)
    run = tracked.trial("a", 1)
    assert tracked.history(run, "loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3), (4, 0.25)]
    assert tracked.history(run, "cut/val/mAP") == [(1, 0.05), (2, 0.1), (3, 0.15), (4, 0.2)]
    assert tracked.history(run, "val/mAP") == [(1, 0.1), (2, 0.2), (3, 0.3), (4, 0.45)]
    assert tracked.history(run, "test/mAP") == [(4, 0.61)]
    assert run.data.metrics["cut/test/mAP"] == 0.6
    assert not [name for name in run.data.metrics if name.startswith(("x/", "default"))]  # nobody asked for it
    assert run.data.metrics["parameters/model"] == 24_558_656
    assert (run.data.metrics["macs"], run.data.metrics["seconds"]) == (1_210_000_000, 8.0)
    times = [
        item.timestamp - run.info.start_time for item in tracked.client.get_metric_history(run.info.run_id, "loss")
    ]
    assert times == [2_000, 4_000, 6_000, 8_000]


def test_artifacts_of_a_finished_trial(study, tracked):
    study.whole("a", 1)
    sync_study(study.store)
    run = tracked.trial("a", 1)
    assert json.loads(tracked.text(run, "config.json")) == study.store.trial("a", 1).config()
    rows = list(csv.reader(io.StringIO(tracked.text(run, "cmc.csv"))))
    assert rows[:3] == [
        ["readout", "split", "rank", "matching_rate"],
        ["default", "val", "1", "0.5"],
        ["default", "val", "2", "0.75"],
    ]
    assert len(rows) == 3  # a training that nobody asked for shows the readout that stands for it alone


def test_the_study_is_the_parent(study, tracked):
    study.ask(0, "a", 10_000)
    study.ask(1, "b", 10_000, readouts={"default": "default-3f"})
    study.ask("baseline", "c", 1)
    study.whole("a", 10_000)
    study.whole("b", 10_000, readouts={"default": {"val/mAP": 0.9}, "default-3f": {"val/mAP": 0.5}})
    study.whole("c", 1, readouts={"default": {"val/mAP": 0.99}})
    study.log.append(RunDone())
    write_atomically(study.store.report / "index.html", "<h1>Answer</h1>")
    write_atomically(study.store.report / "tables" / "arms.csv", "arm,mAP\n")
    write_atomically(study.store.report / "figures" / "forest.pdf", b"%PDF-\xff")
    sync_study(study.store)
    parent = tracked.parent()
    assert (parent.info.run_name, parent.info.status) == ("mgn", "FINISHED")
    assert parent.data.tags["command"] == "reid-search run mgn.yaml"
    assert parent.data.tags["git_commit"] == "0123456789abcdef"
    assert json.loads(parent.data.tags["versions"]) == {"reid-search": "0.1.0"}
    assert parent.data.params["phases.search.trials"] == "6"
    assert parent.data.params["base.model.parts"] == "[1, 2, 3]"
    counts = {"trials/finished": 3, "trials/stopped": 0, "trials/failed": 0}
    assert parent.data.metrics == counts | {"best/search/val/mAP": 0.5}
    assert tracked.text(parent, "report/index.html") == "<h1>Answer</h1>"
    assert tracked.text(parent, "report/tables/arms.csv") == "arm,mAP\n"
    assert tracked.path(parent, "report/figures/forest.pdf").read_bytes() == b"%PDF-\xff"
    assert tracked.text(parent, "study.yaml") == study.store.study_file.read_text()
    write_atomically(study.store.report / "index.html", "<h1>Another</h1>")
    sync_study(study.store)
    assert tracked.text(parent, "report/index.html") == "<h1>Another</h1>"


def test_one_training_of_several_arms(study, tracked):
    for arm in ("baseline", "flip=false", "a=1", "b=2"):
        study.ask(arm, "a", 2, settings={"losses.triplet.on": "globals" if arm == "a=1" else "same"})
    study.ask("baseline", "a", 2)
    study.whole("a", 2)
    sync_study(study.store)
    run = tracked.trial("a", 2)
    assert run.info.run_name == "baseline, flip=false, a=1 and 1 more s2"
    assert run.data.tags["arm"] == "baseline, flip=false, a=1, b=2"
    assert run.data.params["losses.triplet.on"] == '["global@reduced"]'


def test_arms_that_share_a_training_are_runs_of_their_own(study, tracked):
    other = {"losses.triplet.on": "globals", "readouts.default.flip": "no"}
    study.ask("baseline", "a", 1)
    study.ask("flip=no", "a", 1, settings=other, readouts={"default": "default-3f"})
    study.ask("baseline", "a", 1, phase="again")
    study.whole("a", 1, readouts={"default": {"test/mAP": 0.4}, "default-3f": {"test/mAP": 0.2}})
    sync_study(study.store)
    assert set(tracked.children()) == {"a-s1", "a-s1:default-3f"}
    first, second = tracked.trial("a", 1), tracked.trial("a", 1, "default-3f")
    assert (first.info.run_name, second.info.run_name) == ("baseline s1", "flip=no s1")
    assert (first.data.tags["phase"], second.data.tags["phase"]) == ("ablate, again", "ablate")
    assert (first.data.tags["readout"], second.data.tags["readout"]) == ("default", "default-3f")
    assert (first.data.metrics["test/mAP"], second.data.metrics["test/mAP"]) == (0.4, 0.2)
    assert tracked.history(first, "val/mAP") == [(1, 0.1), (2, 0.2), (3, 0.3), (4, 0.4)]
    assert tracked.history(second, "val/mAP") == [(1, 0.05), (2, 0.1), (3, 0.15), (4, 0.2)]
    assert tracked.history(first, "loss") == tracked.history(second, "loss")
    assert (first.data.params["readouts.default.flip"], second.data.params["readouts.default.flip"]) == ("true", "no")
    assert not [name for name in {**second.data.params, **second.data.metrics} if "3f" in name]
    assert second.data.tags["status"] == "finished"


def test_what_is_no_longer_asked_for_is_said(study, tracked):
    """Proposals of an earlier space keep their runs, under names that no proposal of the present one has."""
    study.ask(0, "a", 10_000, space="1234567890")
    study.ask(1, "b", 10_000, space="1234567890", readouts={"default": "default-3f"})
    study.whole("a", 10_000, readouts={"default": {"val/mAP": 0.9}})
    study.whole("b", 10_000)
    study.whole("c", 10_000)
    sync_study(study.store)
    assert tracked.parent().data.metrics["best/search/val/mAP"] == 0.9
    planned = PlannedPhase(phase="search", trials=2, images=1, objective="val/mAP", space="abcdef0123")
    study.log = LogWriter(study.store.log, RunStarted(planned=(planned,)))
    sync_study(study.store)
    assert math.isnan(tracked.parent().data.metrics["best/search/val/mAP"])  # nothing of this space is measured
    study.ask(0, "b", 10_000, space="abcdef0123")
    sync_study(study.store)
    shown = {name: (run.info.run_name, run.data.tags["asked"]) for name, run in tracked.children().items()}
    assert shown == {
        "a-s10000": ("#0 of space 123456 (superseded)", "before"),
        "b-s10000": ("#0", "now"),
        "b-s10000:default-3f": ("#1 of space 123456 (superseded)", "before"),
        "c-s10000": ("c-s10000", "never"),
    }
    assert tracked.trial("b", 10_000).data.metrics["val/mAP"] == 0.4
    assert tracked.trial("b", 10_000, "default-3f").data.metrics["val/mAP"] == 0.2
    assert tracked.parent().data.metrics["best/search/val/mAP"] == 0.4
    before = tracked.everything()
    assert sync_study(study.store).written == 0
    assert tracked.everything() == before


def test_a_run_of_an_earlier_release_is_made_anew(study, tracked):
    """It showed the first readout under the plain names, and the one that was asked for under that of the record."""
    study.ask("flip=no", "a", 1, readouts={"default": "default-3f"})
    study.whole("a", 1, readouts={"default": {"test/mAP": 0.4}, "default-3f": {"test/mAP": 0.2}})
    study.ask("baseline", "b", 1)
    study.whole("b", 1)
    sync_study(study.store)
    new, kept = tracked.trial("a", 1), tracked.trial("b", 1)
    before = tracked.everything()
    tags = {**new.data.tags, "reid_search.synced": "0123"}
    tracked.client.delete_run(new.info.run_id)
    old = tracked.client.create_run(new.info.experiment_id, run_name="flip=no s1", tags=tags).info.run_id
    for name, text in (("readouts.default.flip", "true"), ("readouts.default-3f.flip", "false")):
        tracked.client.log_param(old, name, text)
    for epoch in range(1, 5):
        tracked.client.log_metric(old, "val/mAP", epoch / 10, step=epoch)
        tracked.client.log_metric(old, "loss", 1 / epoch, step=epoch)
    tracked.client.log_metric(old, "test/mAP", 0.4, step=4)
    tracked.client.log_metric(old, "default-3f/test/mAP", 0.2, step=4)
    assert sync_study(study.store).written == 1
    assert set(tracked.children()) == {"a-s1", "b-s1"}
    assert tracked.trial("b", 1).info.run_id == kept.info.run_id
    assert tracked.history(tracked.trial("a", 1), "test/mAP") == [(4, 0.2)]
    assert sorted(tracked.everything().values(), key=str) == sorted(before.values(), key=str)


def test_syncing_again_changes_nothing(study, tracked):
    study.ask(0, "a", 10_000)
    study.whole("a", 10_000)
    study.whole("b", 1, status="failed", reason="NaN")
    study.begin("c", 1)
    study.train("c", 1, range(1, 3))
    sync_study(study.store)
    before = tracked.everything()
    result = sync_study(study.store)
    assert (result.written, result.unchanged) == (0, 4)
    assert tracked.everything() == before


@pytest.mark.parametrize(("status", "state"), [("stopped", "KILLED"), ("failed", "FAILED"), (None, "KILLED")])
def test_a_trial_that_goes_on_after(study, tracked, status, state):
    study.begin("a", 1)
    study.train("a", 1, range(1, 3))
    if status:
        study.end("a", 1, status, "a reason")
    sync_study(study.store)
    first = tracked.trial("a", 1)
    assert (first.info.status, first.data.tags["status"]) == (state, status or "interrupted")
    assert first.data.tags.get("reason") == ("a reason" if status else None)
    study.store.trial("a", 1).remove_record()
    study.train("a", 1, range(3, 5))
    study.end("a", 1)
    sync_study(study.store)
    run = tracked.trial("a", 1)
    assert run.info.run_id == first.info.run_id
    assert (run.info.status, run.data.tags["status"], run.data.tags.get("reason")) == ("FINISHED", "finished", None)
    assert [step for step, _ in tracked.history(run, "loss")] == [1, 2, 3, 4]
    assert [step for step, _ in tracked.history(run, "images_seen")] == [1, 2, 3, 4]


def test_epochs_that_were_measured_again_are_not_doubled(study, tracked):
    study.begin("a", 1)
    study.train("a", 1, range(1, 4))
    study.end("a", 1, "stopped")
    sync_study(study.store)
    folder = study.store.trial("a", 1)
    folder.remove_record()
    folder.keep_epochs(0)
    (folder.path / "times.jsonl").unlink()
    study.train("a", 1, range(1, 5), seconds=3.0)
    study.end("a", 1)
    sync_study(study.store)
    assert [step for step, _ in tracked.history(tracked.trial("a", 1), "loss")] == [1, 2, 3, 4]


def test_epochs_that_came_out_otherwise_replace_the_run(study, tracked):
    study.whole("a", 1)
    sync_study(study.store)
    first = tracked.trial("a", 1)
    folder = study.store.trial("a", 1)
    folder.keep_epochs(2)
    study.train("a", 1, range(3, 5), offset=0.5)
    sync_study(study.store)
    run = tracked.trial("a", 1)
    assert run.info.run_id != first.info.run_id
    assert tracked.history(run, "loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3 + 0.5), (4, 0.75)]


def test_results_that_are_gone_leave_mlflow_too(study, tracked):
    study.whole("a", 1)
    sync_study(study.store)
    study.end("a", 1, "failed", "its process died")
    sync_study(study.store)
    assert tracked.parent().data.metrics["trials/failed"] == 1
    metrics = tracked.trial("a", 1).data.metrics
    assert "parameters/model" not in metrics
    assert metrics["val/mAP"] == 0.4


def test_a_readout_that_is_added_later(study, tracked):
    study.ask("baseline", "a", 1, readouts={"default": "default", "neck": "neck"})
    study.whole("a", 1, readouts={"default": {"test/mAP": 0.6}})
    sync_study(study.store)
    study.end("a", 1, readouts={"default": {"test/mAP": 0.6}, "neck": {"test/mAP": 0.7}})
    sync_study(study.store)
    run = tracked.trial("a", 1)
    assert tracked.history(run, "test/mAP") == [(4, 0.6)]
    assert tracked.history(run, "neck/test/mAP") == [(4, 0.7)]


def test_a_setting_that_changed(study, tracked):
    """A trial's run is made anew, for MLflow never changes a parameter; a study's has others under it and says so."""
    study.whole("a", 1)
    sync_study(study.store)
    config = study.store.trial("a", 1).config()["config"]
    study.end("a", 1, config=config | {"training": {"threads": 4}})
    text = study.store.study_file.read_text()
    write_atomically(study.store.study_file, text.replace("trials: 6", "trials: 8"))
    sync_study(study.store)
    assert tracked.trial("a", 1).data.params["training.threads"] == "4"
    assert "params_changed" not in tracked.trial("a", 1).data.tags
    assert tracked.parent().data.params["phases.search.trials"] == "6"
    assert tracked.parent().data.tags["params_changed"] == "phases.search.trials is now 8"
    write_atomically(study.store.study_file, text)
    sync_study(study.store)
    assert "params_changed" not in tracked.parent().data.tags


def test_more_than_a_batch_holds(study, tracked):
    config = {f"part{part}": {f"setting{index}": index for index in range(60)} for part in range(4)}
    config["text"] = "x" * 7_000  # type: ignore[assignment]
    folder = study.begin("a", 1, config)
    for epoch in range(1, 301):
        folder.append_epoch({"epoch": epoch, "images_seen": epoch, "loss": 1 / epoch, "loss/a": 1.0, "loss/b": 2.0})
        folder.add_seconds(1.0)
    folder.append_epoch({"epoch": 301, "loss": 1.0} | {f"loss/{index}": float(index) for index in range(1_500)})
    study.end("a", 1, "failed", "r" * 9_000, config=config)
    assert sync_study(study.store).warnings == []
    run = tracked.trial("a", 1)
    assert len(run.data.params) == 241
    assert run.data.params["part3.setting59"] == "59"
    assert len(run.data.params["text"]) == 6_000
    assert len(json.loads(tracked.text(run, "config.json"))["config"]["text"]) == 7_000
    assert len(tracked.history(run, "loss")) == 301
    assert len(tracked.history(run, "loss/b")) == 300
    assert run.data.metrics["loss/1499"] == 1_499
    assert run.data.tags["reason"].startswith("rrr")
    assert sync_study(study.store).written == 0


def test_names_that_mlflow_refuses(study, tracked):
    folder = study.begin("a", 1, {"losses": {"a+b": {"weight": 1}}})
    folder.append_epoch({"epoch": 1, "images_seen": 1, "loss": 1.0, "loss/a+b": 2.0, "val/mAP@R": 0.25})
    assert sync_study(study.store).warnings == []
    run = tracked.trial("a", 1)
    assert run.data.params == {"losses.a_b.weight": "1"}
    assert run.data.metrics["loss/a_b"] == 2.0
    assert run.data.metrics["val/mAP_at_R"] == 0.25


def test_one_unreadable_record_keeps_no_other_out(study, tracked):
    for key in ("a", "b", "c"):
        study.whole(key, 1)
    write_atomically(study.store.trial("b", 1).path / "record.json", '{"schema_')
    result = sync_study(study.store)
    assert set(tracked.children()) == {"a-s1", "c-s1"}
    assert len(result.warnings) == 1
    assert "b-s1/record.json" in result.warnings[0]
    assert result.complete


def test_a_run_at_work_is_left_running(study, tracked):
    study.begin("a", 1)
    study.train("a", 1, range(1, 2))
    study.whole("b", 1)
    with locked(study.store.path / ".lock", "busy"):
        sync_study(study.store)
        states = {name: run.info.status for name, run in tracked.children().items()}
        assert states == {"a-s1": "RUNNING", "b-s1": "FINISHED"}
        assert tracked.parent().info.status == "RUNNING"
    sync_study(study.store)
    assert tracked.trial("a", 1).info.status == "KILLED"
    assert tracked.parent().info.status == "KILLED"


def test_a_study_that_begins_afresh(study, tracked):
    study.whole("a", 1)
    study.whole("b", 1)
    sync_study(study.store)
    shutil.rmtree(study.store.trial("b", 1).path)
    result = sync_study(study.store)
    assert set(tracked.children()) == {"a-s1"}
    assert tracked.parent().data.metrics["trials/finished"] == 1
    assert result.warnings == []


def test_runs_in_a_database_of_others_are_ended_and_stay(study, shared):
    uri, tracked = shared
    study.begin("a", 1)
    study.whole("b", 1)
    with locked(study.store.path / ".lock", "busy"):
        sync_study(study.store, uri)
    shutil.rmtree(study.store.path / "trials")
    sync_study(study.store, uri)
    states = {name: run.info.status for name, run in tracked.children().items()}
    assert states == {"a-s1": "KILLED", "b-s1": "FINISHED"}


def test_what_was_deleted_in_mlflow_comes_back(study, tracked):
    study.whole("a", 1)
    study.whole("b", 1)
    sync_study(study.store)
    for run in (tracked.trial("a", 1), tracked.parent()):
        tracked.client.delete_run(run.info.run_id)
    sync_study(study.store)
    assert set(tracked.children()) == {"a-s1", "b-s1"}
    tracked.client.delete_experiment(tracked.parent().info.experiment_id)
    sync_study(study.store)
    assert set(tracked.children()) == {"a-s1", "b-s1"}


def test_a_storage_that_was_moved_says_so(study, storage, tmp_path):
    study.whole("a", 1)
    sync_study(study.store)
    moved = tmp_path / "elsewhere"
    storage.rename(moved)
    result = sync_study(StudyStore(moved, "mgn"))
    assert not result.complete
    assert "delete mlflow.db" in result.warnings[0]


def test_a_server_that_is_down(study, closed_port):
    study.whole("a", 1)
    result = sync_study(study.store, f"http://me:secret@127.0.0.1:{closed_port}")
    assert (result.written, result.complete) == (0, False)
    (warning,) = result.warnings
    assert warning.startswith(f"http://127.0.0.1:{closed_port}: ")
    assert f"`reid-search sync '{study.store.path}'` brings" in warning
    assert "secret" not in warning
    assert "\n" not in warning


def test_one_trial_alone_brings_its_study_along(study, tracked):
    study.whole("a", 1)
    study.whole("b", 1)
    projection, trial = Projection(study.store), TrialId("a", 1)
    state = projection.state()
    (run,) = trial_runs(state, [trial])[trial]
    assert projection.sync_run(run, state, running=False)
    assert not projection.sync_run(run, state, running=False)
    assert set(tracked.children()) == {"a-s1"}
    assert tracked.parent().data.metrics["trials/finished"] == 2


def test_the_best_of_a_search_is_shown_by_its_fresh_seeds(study, tracked):
    planned = PlannedPhase(phase="search", trials=4, finalists=2, images=1, objective="val/mAP")
    study.log = LogWriter(study.store.log, RunStarted(planned=(planned,)))
    for number, (key, value) in enumerate((("a", 0.5), ("b", 0.4))):
        study.ask(number, key, 10_000)
        study.whole(key, 10_000, readouts={"default": {"val/mAP": value}})
    for number, (key, value) in enumerate((("a", 0.2), ("b", 0.3))):
        again = {"evaluate": "val", "readouts": {"default": "default"}}
        study.log.append(FinalistAsked(phase="search", key=key, seed=1_010_000, number=number, **again))
        study.whole(key, 1_010_000, readouts={"default": {"val/mAP": value}})
    sync_study(study.store)
    parent = tracked.parent()
    best = {name: value for name, value in parent.data.metrics.items() if name.startswith("best/")}
    assert best == {"best/search/val/mAP": 0.3, "best/search/raw": 0.3, "best/search/fresh_seeds": 1}
    assert parent.data.tags["best"] == "search: 30.0 val/mAP (1 fresh seed)"
    assert tracked.trial("b", 1_010_000).info.run_name == "finalist #1 s1010000"


def test_collapsed_seeds_are_tagged_and_counted_in_the_study_s_description(study, tracked):
    chance = {"test/mAP_chance": 0.016, "test/mAP_untrained": 0.05}
    for seed, value in ((1, 0.016), (2, 0.04)):
        study.ask("baseline", "a", seed)
        study.whole("a", seed, readouts={"default": {"test/mAP": value + 0.3} | chance})
        study.ask("small", "b", seed)
        study.whole("b", seed, readouts={"default": {"test/mAP": value} | chance})
    sync_study(study.store)
    assert "collapsed" not in tracked.trial("a", 1).data.tags
    assert [tracked.trial("b", seed).data.tags["collapsed"] for seed in (1, 2)] == ["at chance", "untrained"]
    assert tracked.trial("b", 1).data.metrics["test/mAP_untrained"] == 0.05
    line = "ablate, small: collapsed 2 of 2 (16 to 100 %); not above its untrained network in every seed: no effect"
    tags = tracked.parent().data.tags
    assert tags["collapsed"] == line
    assert tags["mlflow.note.content"].splitlines()[1:] == [f"- {line}"]


def test_a_description_that_a_person_wrote_stays_and_ours_goes_when_it_is_no_longer_true(study, tracked):
    study.ask("small", "b", 1)
    study.whole("b", 1, status="failed", reason="the loss is NaN")
    sync_study(study.store)
    parent = tracked.parent()
    assert "ablate, small: failed 1 of 1 (3 to 100 %)" in parent.data.tags["mlflow.note.content"]
    study.whole("b", 1, readouts={"default": {"test/mAP": 0.4}})
    sync_study(study.store)
    assert not {"collapsed", "mlflow.note.content"} & tracked.parent().data.tags.keys()
    tracked.client.set_tag(parent.info.run_id, "mlflow.note.content", "my own words")
    study.whole("b", 1, status="failed", reason="the loss is NaN")
    sync_study(study.store)
    assert tracked.parent().data.tags["mlflow.note.content"] == "my own words"
