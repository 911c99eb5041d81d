"""A study as the content of its parent run in MLflow: its settings, its progress, and the best so far."""

import json
from collections import Counter
from collections.abc import Mapping

from reid_search.analysis import best_values, caveats, verdicts
from reid_search.records import Status, StudyState, StudyStore
from reid_search.study.language.merge import leaves
from reid_search.tracking.content import (
    KIND_TAG,
    NOTE_BEGIN,
    NOTE_TAG,
    Kind,
    RunContent,
    RunState,
    numbers,
    param_texts,
    tag_texts,
    time_of,
)

STUDY_ID = "study"
_ABOUT = ("versions", "git_commit", "command")
_COUNTED = (Status.FINISHED, Status.STOPPED, Status.FAILED)


def study_content(state: StudyState, *, at_work: bool) -> RunContent:
    """Return what the MLflow run of a study should hold."""
    history = state.history
    run_state: RunState = "RUNNING" if at_work else "KILLED" if history.runs and not history.is_done else "FINISHED"
    counts = Counter(trial.status for trial in state.trials.values())
    return RunContent(
        id=STUDY_ID,
        name=state.store.name,
        state=run_state,
        tags=_tags(state, run_state),
        params=param_texts(_settings(state)),
        metrics=numbers({**{f"trials/{status}": counts[status] for status in _COUNTED}, **_best(state)}),
        artifacts=_files(state.store, with_report=not at_work),
        begun=time_of(history.began),
        ended=None if at_work else time_of(history.ended),
        replaceable=False,
    )


def _files(store: StudyStore, *, with_report: bool) -> dict[str, bytes]:
    """Return the study file and, unless the study is running, the report: page, tables and figures."""
    report = sorted(store.report.rglob("*")) if with_report else []
    paths = [path for path in (store.study_file, *report) if path.is_file()]
    return {path.relative_to(store.path).as_posix(): path.read_bytes() for path in paths}


def _tags(state: StudyState, run_state: RunState) -> dict[str, str]:
    study = state.study
    status = {"RUNNING": Status.RUNNING, "KILLED": Status.INTERRUPTED}.get(run_state, Status.FINISHED)
    commit, command = study.get("git_commit"), study.get("command")
    lost = _lost(state)
    return tag_texts({
        KIND_TAG: Kind.STUDY,
        "study": state.store.name,
        "collapsed": "; ".join(lost) or None,
        NOTE_TAG: "\n".join([NOTE_BEGIN, *(f"- {line}" for line in lost)]) if lost else None,
        "status": status,
        "command": command,
        "versions": json.dumps(study["versions"]) if study.get("versions") else None,
        "git_commit": commit,
        "best": _best_text(state),
        **({} if run_state == "RUNNING" else _answers(state.store)),
        "phases": "; ".join(_phase_text(phase) for phase in state.phases),
        "mlflow.source.git.commit": commit,
        "mlflow.source.name": command,
    })  # fmt: skip


def _lost(state: StudyState) -> list[str]:
    """Return a line for each arm that lost seeds: `ablate, model.parts=[1]: collapsed 2 of 8 (3 to 65 %)`."""
    counted = ((phase, arm, found) for phase in state.ablations for arm, found in state.seed_counts(phase).items())
    lines = [
        f"{phase}, {arm}: {found}" + f"; {found.flag.words} in every seed: no effect" * bool(found.flag)
        for phase, arm, found in counted
        if found.lost
    ]
    best = ((phase, state.best(phase)) for phase in state.searches)
    found_none = [(phase, state.collapse(ask)) for phase, ask in best if ask]
    return lines + [f"{phase}: the best proposal is {collapse.words}" for phase, collapse in found_none if collapse]


def _answers(store: StudyStore) -> dict[str, str]:
    """Return the verdicts of the last report, and what weighs on them."""
    said = "; ".join(f"{name}: {verdict}" for name, verdict, _ in verdicts(store.path))
    return {"claims": said, "caveats": " ".join(caveats(store.path))}


def _settings(state: StudyState) -> dict[str, object]:
    """Return the study's settings by dotted path, with phases by name and each axis as one setting."""
    content = {name: value for name, value in state.study.items() if name not in (*_ABOUT, "phases", "axes", "labels")}
    settings = dict(leaves(content)) | {f"axes.{path}": axis for path, axis in state.axes.items()}
    for phase in state.phases:
        settings |= leaves({name: value for name, value in phase.items() if name != "name"}, f"phases.{_name(phase)}.")
    return settings


def _best(state: StudyState) -> dict[str, float | None]:
    """Return the best value of each search so far; choosing the best answer on the test split would be wrong."""
    found: dict[str, float | None] = {}
    for phase, worth in best_values(state).items():
        found[f"best/{phase}/{state.objective(phase)}"] = worth.shown
        if worth.seeds:
            found |= {f"best/{phase}/raw": worth.raw, f"best/{phase}/fresh_seeds": worth.seeds}
    return found


def _best_text(state: StudyState) -> str | None:
    """Say what the best of each search reached on fresh seeds; None if none has any."""
    found = {phase: worth for phase, worth in best_values(state).items() if worth.seeds}
    said = (
        f"{phase}: {100 * worth.shown:.1f} {state.objective(phase)} ({worth.how})" for phase, worth in found.items()
    )
    return "; ".join(said) or None


def _name(phase: Mapping[str, object]) -> str:
    return str(phase.get("name", phase.get("kind", "")))


def _phase_text(phase: Mapping[str, object]) -> str:
    if phase.get("kind") == "search":
        sampler = phase.get("sampler")
        kind = sampler.get("kind") if isinstance(sampler, Mapping) else sampler
        again = f", {phase['finalists']} finalists" if phase.get("finalists") else ""
        return f"{_name(phase)}: {phase.get('trials')} trials by {kind}{again}"
    return f"{_name(phase)}: {phase.get('design')} around {phase.get('around')}, seeds: {phase.get('seeds')}"
