"""A trial as the content of an MLflow run, for those who ask for the same readouts of it."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from reid_search.errors import RecordError
from reid_search.records import Status, StudyState, Trial, TrialFolder, whose_column
from reid_search.study.language.merge import leaves
from reid_search.tracking.content import (
    CODE_ENTRIES,
    KIND_TAG,
    Epoch,
    Kind,
    RunContent,
    RunState,
    is_number,
    numbers,
    param_texts,
    tag_texts,
    time_of,
)
from reid_search.tracking.trial_runs import TrialRun

# A pruned trial was cut short like an interrupted one; the tag `status` tells them apart.
_STATES: Mapping[Status, RunState] = {
    Status.FINISHED: "FINISHED",
    Status.UNMEASURED: "FINISHED",
    Status.STOPPED: "KILLED",
    Status.FAILED: "FAILED",
    Status.INTERRUPTED: "KILLED",
    Status.RUNNING: "RUNNING",
}


def trial_content(
    run: TrialRun, state: StudyState, verdicts: Sequence[str] = (), *, running: bool, parent: str
) -> RunContent:
    """Return what the MLflow run of a trial should hold.

    Plain names (`test/mAP`) belong to the askers' own readout; those of their other readouts begin with the readout's
    name in the study (`neck/test/mAP`). Readouts that none of them asked for are left out. `verdicts` is what the last
    report says of its arms, and `parent` the id of the study's run; a record overrides `running`.

    Raises:
        RecordError: A file of the trial cannot be read.
    """
    trial = state.trials.get(run.trial) or Trial(run.trial, Status.RUNNING)
    if trial.status == Status.UNREADABLE:
        raise RecordError(trial.reason)
    status = _status(run, trial, state, running)
    latest = _latest(run, trial)
    epochs = _epochs(run, trial, state.store.trial(*run.trial), latest)
    last = epochs[-1] if epochs else Epoch(0, 0.0, {})
    ended = time_of(trial.record.context.ended) if trial.record else None
    return RunContent(
        id=run.id,
        name=run.name,
        state=_STATES[status],
        tags=_tags(run, trial)
        | tag_texts(
            {
                "status": status,
                "mlflow.parentRunId": parent,
                "collapsed": _collapsed(run, state),
                "verdict": "; ".join(verdicts),
            }
        ),
        params=_params(run, trial),
        epochs=epochs,
        metrics={name: value for name, value in latest.items() if last.metrics.get(name) != value},
        step=last.step,
        artifacts=_artifacts(run, trial),
        begun=ended - trial.seconds if ended is not None else None,
        ended=ended,
    )


def _status(run: TrialRun, trial: Trial, state: StudyState, running: bool) -> Status:
    if trial.status == Status.RUNNING:
        return Status.RUNNING if running else Status.INTERRUPTED
    return state.status(run.asks[0]) if run.asks else trial.status


def _collapsed(run: TrialRun, state: StudyState) -> str | None:
    return str(state.collapse(run.asks[0])) or None if run.asks else None


def _prefixes(run: TrialRun) -> list[tuple[str, str]]:
    """Return the prefix of each readout's metrics, with its name in the record."""
    return [(f"{name}/" if index else "", stored) for index, (name, stored) in enumerate(run.readouts.items())]


def _latest(run: TrialRun, trial: Trial) -> dict[str, float]:
    """Return the measurements that have one value only."""
    found: dict[str, float] = {"seconds": trial.seconds, "images_seen": trial.images_seen}
    record = trial.record
    if record is None:
        return found
    for prefix, stored in _prefixes(run):
        if readout := record.readouts.get(stored):
            found |= {f"{prefix}{metric}": value for metric, value in readout.metrics.items()}
            found[f"{prefix}dim"] = readout.dim
    found |= {f"parameters/{part}": count for part, count in record.parameters.items()}
    return numbers(found if record.macs is None else found | {"macs": record.macs})


def _epochs(run: TrialRun, trial: Trial, folder: TrialFolder, latest: Mapping[str, float]) -> tuple[Epoch, ...]:
    """Return the epochs with the time at which each ended, which is exact if the trial was never interrupted."""
    elapsed = list(accumulate(folder.times())) or [0.0]
    readouts, prefixes = list(trial.section("readouts")), _prefixes(run)
    epochs = [
        Epoch(
            step=int(row["epoch"]),
            elapsed=elapsed[min(index, len(elapsed) - 1)],
            metrics=numbers(dict(_measured(row, readouts, prefixes))),
        )
        for index, row in enumerate(folder.epochs())
    ]
    if epochs:  # the last step has only one value
        metrics = {name: value for name, value in epochs[-1].metrics.items() if latest.get(name, value) == value}
        epochs[-1] = replace(epochs[-1], metrics=metrics)
    return tuple(epochs)


def _measured(
    row: Mapping[str, object], readouts: list[str], prefixes: list[tuple[str, str]]
) -> Iterator[tuple[str, object]]:
    for column, value in row.items():
        readout, metric = whose_column(readouts, column)
        if readout is None and column != "epoch":
            yield column, value
        yield from ((f"{prefix}{metric}", value) for prefix, stored in prefixes if stored == readout)


def _params(run: TrialRun, trial: Trial) -> dict[str, str]:
    """Return the settings, with the askers' readouts by their names in the study.

    An axis shows the study's name of its value, but a number stays a number.
    """
    if not trial.config:
        return {}
    kept = trial.section("readouts")
    own = {name: kept[stored] for name, stored in run.readouts.items() if stored in kept}
    others = {name: value for name, value in trial.config.items() if name != "readouts"}
    plain = dict(leaves(others | ({"readouts": own} if own else {})))
    return param_texts(plain | {path: label for path, label in run.settings.items() if not is_number(plain.get(path))})


def _tags(run: TrialRun, trial: Trial) -> dict[str, str]:
    context = trial.record.context if trial.record else None
    commit = context.git_commit if context else None
    return tag_texts({
        KIND_TAG: Kind.TRIAL,
        "key": run.trial.key,
        "seed": run.trial.seed,
        "arm": ", ".join(run.labels),
        "phase": ", ".join(run.phases),
        "asked": run.asked,
        "readout": next(iter(run.readouts.values()), None),
        "data_fingerprint": trial.data_fingerprint,
        "reason": trial.reason,
        "git_commit": commit,
        "mlflow.source.git.commit": commit,
        "device": context.device if context else None,
        "host": context.host if context else None,
        **_code(trial),
    })  # fmt: skip


def _code(trial: Trial) -> dict[str, object]:
    """Return the code that trained a trial, and that tested it if it is another, as the record has it: `code.torch`."""
    known = zip(CODE_ENTRIES, (trial.code, trial.record.tested_by if trial.record else None), strict=True)
    parts = ((entry, name, value) for entry, code in known if code for name, value in code)
    return {f"{entry}.{name}": _listed(value) if isinstance(value, dict) else value for entry, name, value in parts}


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))


def _artifacts(run: TrialRun, trial: Trial) -> dict[str, bytes]:
    """Return the config, from which `train` repeats the trial, and the matching rates of the readouts."""
    started = {"key": trial.key, "seed": trial.seed, "data_fingerprint": trial.data_fingerprint, "config": trial.config}
    artifacts = {"config.json": f"{json.dumps(started, indent=2)}\n".encode()} if trial.config else {}
    measured = trial.record.readouts if trial.record else {}
    rows = [
        (name, split, rank, rate)
        for name, stored in run.readouts.items() if stored in measured
        for split, curve in measured[stored].cmc.items()
        for rank, rate in enumerate(curve, start=1)
    ]  # fmt: skip
    if rows:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([("readout", "split", "rank", "matching_rate"), *rows])
        artifacts["cmc.csv"] = text.getvalue().encode()
    return artifacts
