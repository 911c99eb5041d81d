"""A store that somebody or something damaged: each reader names the file, and loses nothing else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reid_search.errors import NewerVersion, RecordError, RequestError
from reid_search.records import LogWriter, RunStarted, Status, StudyReader, StudyStore, TrialFolder, TrialId, read_state
from reid_search.records.files import append_lines
from reid_search.records.locks import locked

WAY_OUT = "move this file away, or set the whole study aside"
DEEP, LONG = "[" * 100_000 + "]" * 100_000, "9" * 5000
ASK = {"event": "ask", "kind": "ablate", "phase": "a", "key": "ab", "seed": 1, "evaluate": "test", "arm": "baseline"}
RUN = {"event": "run", "version": 2, "id": "w-0"}


def line(**changes: object) -> str:
    return json.dumps(ASK | changes)


LINES = {
    "a kind that is a list": line(kind=[]),
    "a kind that is a map": line(kind={}),
    "a long number": line(seed=0).replace('"seed": 0', f'"seed": {LONG}'),
    "a long id": json.dumps(RUN | {"id": f"w-{LONG}"}),
    "nesting": f'{{"event": "claim", "claim": "c", "content": {DEEP}}}',
    "an unknown split": line(evaluate="train"),
    "half a character": line(arm="\ud800"),
    "a time": line(time="noon"),
    "a negative seed": line(seed=-1),
    "a path as key": line(key="../../elsewhere"),
    "no readouts": line(readouts={}),
    "true as version": line(version=True),
    "a number of more than 64 bits": line(seed=10**30),
}


@pytest.mark.parametrize("bad", LINES.values(), ids=LINES)
def test_a_damaged_line_of_the_log_is_named_and_what_came_before_is_kept(bad: str, before: Path) -> None:
    store = StudyStore.at(before)
    asks = read_state(store).history.asks
    whole = store.log.path.read_bytes()
    store.log.path.write_bytes(whole + bad.encode() + b"\n")
    wrong = f"asked.jsonl, line {whole.count(10) + 1}: "
    with pytest.raises(RecordError, match=wrong) as caught:
        read_state(store)
    assert WAY_OUT in str(caught.value)
    with pytest.raises(RecordError, match=wrong):
        StudyReader(store).state()
    state = read_state(store, tolerant=True)
    assert state.history.asks == asks
    assert [wrong in problem for problem in state.problems] == [True]


def edited(section: str | None = None, **changes: object) -> Callable[[TrialFolder], None]:
    def edit(folder: TrialFolder) -> None:
        path = folder.path / "record.json"
        content = json.loads(path.read_text())
        (content[section] if section else content).update(changes)
        path.write_text(json.dumps(content))

    return edit


def written(name: str, text: str) -> Callable[[TrialFolder], None]:
    def write(folder: TrialFolder) -> None:
        if name != "record.json":
            folder.remove_record()
        (folder.path / name).write_text(text)

    return write


def as_folder(name: str) -> Callable[[TrialFolder], None]:
    def make(folder: TrialFolder) -> None:
        folder.remove_record()
        (folder.path / name).unlink(missing_ok=True)
        (folder.path / name).mkdir()

    return make


TRIALS = {
    "record.json: macs": edited(macs=10**30),
    "record.json: images_seen": edited(images_seen=-1),
    "record.json: schema_version True": edited(schema_version=True),
    "record.json: context.seconds": edited("context", seconds=-1e300),
    "record.json: context.ended": edited("context", ended="noon"),
    "record.json: not readable as JSON (number": written("record.json", f'{{"seed": {LONG}}}'),
    "record.json: not readable as JSON (recursion": written("record.json", f'{{"config": {DEEP}}}'),
    "record.json: [Errno": as_folder("record.json"),
    "epochs.jsonl, line 1: images_seen": written("epochs.jsonl", '{"epoch": 1, "images_seen": "many"}\n'),
    "epochs.jsonl, line 1: loss": written("epochs.jsonl", '{"epoch": 1, "loss": "much"}\n'),
    "times.jsonl, line 1: seconds": written("times.jsonl", "{}\n"),
    "times.jsonl, line 1: expected a JSON object": written("times.jsonl", '"x"\n'),
    "times.jsonl: [Errno": as_folder("times.jsonl"),
    "config.json: config": written("config.json", '{"config": 5}'),
    "config.json: expected a JSON object": written("config.json", "null"),
}


@pytest.mark.parametrize(("message", "damage"), TRIALS.items(), ids=TRIALS)
def test_a_damaged_trial_is_named_and_the_others_are_read(
    message: str, damage: Callable[[TrialFolder], None], before: Path
) -> None:
    store = StudyStore.at(before)
    folder, *others = store.trials()
    damage(folder)
    with pytest.raises(RecordError) as caught:
        read_state(store)
    assert f"{folder.path}/{message}" in str(caught.value)
    trials = read_state(store, tolerant=True).trials
    assert trials[folder.id].status == StudyReader(store).state().trials[folder.id].status == Status.UNREADABLE
    assert {trials[other.id].status for other in others} <= {Status.FINISHED, Status.STOPPED}


def test_a_measurement_that_cannot_be_is_refused_with_its_range(before: Path) -> None:
    folder = next(
        folder for folder in StudyStore.at(before).trials() if (record := folder.record()) and record.readouts
    )
    path = folder.path / "record.json"
    content = json.loads(path.read_text())
    for readout in content["readouts"].values():
        readout["metrics"] = dict.fromkeys(readout["metrics"], 7.5)
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match=r"record\.json: readouts\..*'\w+/[\w@]+' is 7\.5; it lies in \(0\.0, 1\.0\)"):
        folder.record()


NO_CUT = {
    "one line": '{"a": 1} {"b": 2} {"c',
    "other ends": '{"a": 1}\r{"b": 2}\r',
    "zeros": "\0\0",
    "rubbish": 'a": 1',
}


@pytest.mark.parametrize("text", NO_CUT.values(), ids=NO_CUT)
def test_bytes_that_no_crash_left_are_never_dropped(text: str, before: Path) -> None:
    log = StudyStore.at(before).log
    for start in (b"", log.path.read_bytes()):
        log.path.write_bytes(start + text.encode())
        with pytest.raises(RecordError, match=r"asked\.jsonl: the end is neither .* nothing is written"):
            LogWriter(log, RunStarted())
        with pytest.raises(RecordError, match="the end is neither"):
            append_lines(log.path, [{"x": 1}])
        assert log.path.read_bytes() == start + text.encode()
        problems: list[str] = []
        assert len(log.read(problems)) == start.count(b"\n")
        assert len(problems) == 1


def test_an_event_that_lacks_only_its_newline_is_kept(before: Path) -> None:
    store = StudyStore.at(before)
    events, reader = store.log.read(), StudyReader(store)
    store.log.path.write_bytes(store.log.path.read_bytes()[:-1])
    assert store.log.read() == events
    asks = reader.state().history.asks
    LogWriter(store.log, RunStarted())
    assert store.log.read()[:-1] == events
    assert reader.state().history.asks == asks == read_state(store).history.asks


def test_a_newer_version_is_another_error_with_another_way_out(before: Path) -> None:
    store = StudyStore.at(before)
    append_lines(store.log.path, [{"event": "done", "version": 3, "id": "w-0"}])
    with pytest.raises(NewerVersion, match=r"version 3; this release reads 1 to 2; to go on, upgrade"):
        read_state(store)


def test_folders_and_files_in_each_other_s_place(before: Path) -> None:
    store = StudyStore.at(before)
    (before / ".lock").mkdir()
    assert not store.is_at_work
    with pytest.raises(RequestError, match=r"\.lock: expected the file of a lock"), locked(before / ".lock", "busy"):
        pass
    (before / "trials" / f"{'a' * 16}-s{'1' * 200}").mkdir()
    assert all(len(str(name)) < 40 for name in read_state(store).trials)
    shutil.rmtree(before / "trials")
    (before / "trials").touch()
    store.log.path.unlink()
    store.log.path.mkdir()
    with pytest.raises(RecordError, match=r"asked\.jsonl: .*Is a directory"):
        read_state(store)
    state = read_state(store, tolerant=True)
    assert [name in problem for name, problem in zip(("asked.jsonl", "trials"), state.problems, strict=True)] == [
        True
    ] * 2
    assert state.trials == {}


def test_a_line_of_an_earlier_release_after_later_ones_is_said_to_be_that(tmp_path: Path) -> None:
    log = StudyStore(tmp_path, "s").log
    LogWriter(log, RunStarted())
    append_lines(log.path, [ASK])
    assert log.history().warnings == [f"{log.path}, line 2: ignored 1 event of version 1, after later ones"]


def test_a_name_of_a_trial_has_a_seed_of_64_bits() -> None:
    assert TrialId.parse("ab-s" + "9" * 18) is not None
    assert TrialId.parse("ab-s" + "9" * 19) is None
