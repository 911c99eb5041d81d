"""A study as the content of its parent run in MLflow: its settings, how far it is, and the best so far."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reid_search.errors import StudyError
from reid_search.records import Record, StudyStore
from reid_search.study.language.document import read_document
from reid_search.study.metrics import DEFAULT_OBJECTIVE
from reid_search.tracking.asks import Identity
from reid_search.tracking.content import RunContent, RunState, flattened, numbers, param_texts, tag_texts

STUDY_ID = "study"
_ABOUT = ("versions", "git_commit", "command")

Event = Mapping[str, Any]


def study_content(
    store: StudyStore, events: Sequence[Event], records: Mapping[Identity, Record | None], *, at_work: bool
) -> RunContent:
    """Return what the MLflow run of a study shall hold.

    Args:
        store: Where the study keeps everything.
        events: The lines of `asked.jsonl`, in order.
        records: Record of each trial; None where it has none.
        at_work: Whether a run of the study is at work.
    """
    study = _read_study(store)
    state = _state(events, at_work)
    counts = Counter({"finished": 0, "stopped": 0, "failed": 0})
    counts.update(record.status for record in records.values() if record)
    best = _best(study, events, records)
    return RunContent(
        id=STUDY_ID,
        name=store.name,
        state=state,
        tags=_tags(store, study, state),
        params=param_texts(_settings(study)),
        metrics=numbers({f"trials/{status}": count for status, count in counts.items()} | best),
        artifacts=_files(store, with_report=not at_work),
        begun=_time(events[0]) if events else None,
        ended=_time(events[-1]) if events and not at_work else None,
        replaceable=False,
    )


def _files(store: StudyStore, *, with_report: bool) -> dict[str, bytes]:
    """Return the study file and, of a study that is not at work, the report: page, tables and figures."""
    report = sorted(store.report.rglob("*")) if with_report else []
    paths = [path for path in (store.study_file, *report) if path.is_file()]
    return {path.relative_to(store.path).as_posix(): path.read_bytes() for path in paths}


def _read_study(store: StudyStore) -> dict[str, Any]:
    try:
        return read_document(store.study_file).data if store.study_file.exists() else {}
    except StudyError:  # a study file that was edited by hand must not keep the trials out of MLflow
        return {}


def _state(events: Sequence[Event], at_work: bool) -> RunState:
    if at_work:
        return "RUNNING"
    ends = [event["event"] for event in events if event["event"] in ("run", "done")]
    return "KILLED" if ends and ends[-1] == "run" else "FINISHED"


def _tags(store: StudyStore, study: Mapping[str, Any], state: RunState) -> dict[str, str]:
    status = {"RUNNING": "running", "KILLED": "interrupted"}.get(state, "finished")
    commit, command = study.get("git_commit"), study.get("command")
    return tag_texts({
        "study": store.name,
        "status": status,
        "command": command,
        "versions": json.dumps(study["versions"]) if study.get("versions") else None,
        "git_commit": commit,
        "phases": "; ".join(_phase_text(phase) for phase in _phases(study)),
        "mlflow.source.git.commit": commit,
        "mlflow.source.name": command,
    })  # fmt: skip


def _settings(study: Mapping[str, Any]) -> dict[str, Any]:
    """Return the study's settings by dotted path; phases by their names, an axis as one."""
    content = {name: value for name, value in study.items() if name not in (*_ABOUT, "phases", "axes")}
    leaves = dict(flattened(content)) | {f"axes.{path}": axis for path, axis in (study.get("axes") or {}).items()}
    for phase in _phases(study):
        leaves |= flattened({name: value for name, value in phase.items() if name != "name"}, f"phases.{_name(phase)}.")
    return leaves


def _best(
    study: Mapping[str, Any], events: Sequence[Event], records: Mapping[Identity, Record | None]
) -> dict[str, float]:
    """Return the best value of each search so far.

    Answers on the test split are not compared here: the best of them would be a choice.
    """
    best: dict[str, float] = {}
    objectives = {_name(phase): str(phase.get("objective", DEFAULT_OBJECTIVE)) for phase in _phases(study)}
    for event in events:
        if event["event"] != "ask" or event.get("kind") != "search":
            continue
        phase = str(event.get("phase"))
        record = records.get((str(event.get("key")), int(event.get("seed", 0))))
        objective = objectives.get(phase, DEFAULT_OBJECTIVE)
        value = _measured(record, event.get("readouts") or {}, objective) if record else None
        name = f"best/{phase}/{objective}"
        if value is not None and value > best.get(name, float("-inf")):
            best[name] = value
    return best


def _measured(record: Record, stored: Mapping[str, str], metric: str) -> float | None:
    name = stored.get("default") or next(iter(stored.values()), None) or next(iter(record.readouts), "")
    readout = record.readouts.get(name)
    return readout.metrics.get(metric) if readout else None


def _phases(study: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [phase for phase in study.get("phases") or () if isinstance(phase, Mapping)]


def _name(phase: Mapping[str, Any]) -> str:
    return str(phase.get("name", phase.get("kind", "")))


def _phase_text(phase: Mapping[str, Any]) -> str:
    if phase.get("kind") == "search":
        return f"{_name(phase)}: {phase.get('trials')} trials by {phase.get('sampler')}"
    return f"{_name(phase)}: {phase.get('design')} around {phase.get('around')}, {phase.get('seeds')} seeds"


def _time(event: Event) -> float:
    return datetime.fromisoformat(str(event["time"])).timestamp()
