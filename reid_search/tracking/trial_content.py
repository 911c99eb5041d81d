"""A trial's folder as the content of its MLflow run."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from itertools import accumulate
from typing import Any

from reid_search.records import Record, TrialFolder
from reid_search.records.files import read_lines
from reid_search.tracking.asks import Asked
from reid_search.tracking.content import Epoch, RunContent, RunState, flattened, numbers, param_texts, tag_texts

# A pruned trial was cut short like an interrupted one; the tag `status` tells them apart.
_STATES: Mapping[str, RunState] = {
    "finished": "FINISHED",
    "stopped": "KILLED",
    "failed": "FAILED",
    "interrupted": "KILLED",
    "running": "RUNNING",
}


def trial_content(folder: TrialFolder, seed: int, asked: Asked, *, running: bool, parent: str) -> RunContent:
    """Return what the MLflow run of a trial shall hold.

    Args:
        folder: The trial's folder; may not be there yet.
        seed: The trial's seed.
        asked: Who asked for it.
        running: Whether it runs at the moment; a record says more.
        parent: Id of the study's run.

    Raises:
        RecordError: A file of the trial cannot be read.
    """
    record, started, epochs = folder.record(), folder.config() or {}, _epochs(folder)
    status = record.status if record else "running" if running else "interrupted"
    config = record.config if record else started.get("config", {})
    name = folder.path.name
    seconds = folder.seconds()
    ended = datetime.fromisoformat(record.context.ended).timestamp() if record else None
    return RunContent(
        id=name,
        name=asked.run_name(seed) if asked.names else name,
        state=_STATES[status],
        tags=_tags(record, started, asked) | tag_texts({
            "key": name.rpartition("-s")[0], "seed": seed, "status": status, "mlflow.parentRunId": parent,
        }),
        params=_params(config, asked),
        epochs=epochs,
        metrics=_latest(record, seconds, epochs),
        step=epochs[-1].step if epochs else 0,
        artifacts=_artifacts(started or _started(record), record),
        begun=ended - seconds if ended is not None else None,
        ended=ended,
    )  # fmt: skip


def final_metrics(record: Record) -> dict[str, float]:
    """Return what a record measured by name: plain (`test/mAP`) for its first readout, `<readout>/test/mAP` else."""
    found: dict[str, float] = {}
    for index, (name, readout) in enumerate(record.readouts.items()):
        prefix = f"{name}/" if index else ""
        found |= {f"{prefix}{metric}": value for metric, value in readout.metrics.items()}
        found[f"{prefix}dim"] = readout.dim
    found |= {f"parameters/{part}": count for part, count in record.parameters.items()}
    if record.macs is not None:
        found["macs"] = record.macs
    return numbers(found)


def _epochs(folder: TrialFolder) -> tuple[Epoch, ...]:
    """Return the epochs with the time at which each ended, which is exact where the trial was never interrupted."""
    elapsed = list(accumulate(float(row["seconds"]) for row in read_lines(folder.path / "times.jsonl"))) or [0.0]
    return tuple(
        Epoch(
            step=int(row["epoch"]),
            elapsed=elapsed[min(index, len(elapsed) - 1)],
            metrics=numbers({name: value for name, value in row.items() if name != "epoch"}),
        )
        for index, row in enumerate(folder.epochs())
    )


def _latest(record: Record | None, seconds: float, epochs: tuple[Epoch, ...]) -> dict[str, float]:
    """Return what has one value only; what the last epoch measured already is not repeated."""
    found = {"seconds": seconds} | (final_metrics(record) if record else {})
    last = epochs[-1].metrics if epochs else {}
    return {name: value for name, value in found.items() if last.get(name) != value}


def _params(config: Mapping[str, Any], asked: Asked) -> dict[str, str]:
    """Return the settings; an axis shows the name that the study gives to its value, a number stays a number.

    Readouts stay as they are: one training serves arms that differ in them.
    """
    leaves = dict(flattened(config))
    if not leaves:
        return {}
    for path, label in asked.labels.items():
        if not path.startswith("readouts.") and not isinstance(leaves.get(path), int | float):
            leaves[path] = label
    return param_texts(leaves)


def _tags(record: Record | None, started: Mapping[str, Any], asked: Asked) -> dict[str, str]:
    context = record.context if record else None
    commit = context.git_commit if context else None
    return tag_texts({
        "arm": ", ".join(asked.names),
        "phase": ", ".join(asked.phases),
        "data_fingerprint": record.data_fingerprint if record else started.get("data_fingerprint"),
        "reason": record.reason if record else None,
        "git_commit": commit,
        "mlflow.source.git.commit": commit,
        "device": context.device if context else None,
        "host": context.host if context else None,
    })  # fmt: skip


def _started(record: Record | None) -> dict[str, Any]:
    """Return what `config.json` would hold, for a trial whose record was written without one."""
    if record is None:
        return {}
    return {
        "key": record.key,
        "seed": record.seed,
        "data_fingerprint": record.data_fingerprint,
        "config": record.config,
    }


def _artifacts(started: Mapping[str, Any], record: Record | None) -> dict[str, bytes]:
    artifacts = {"config.json": f"{json.dumps(started, indent=2)}\n".encode()} if started else {}
    rows = [
        (name, split, rank, rate)
        for name, readout in (record.readouts.items() if record else ())
        for split, curve in readout.cmc.items()
        for rank, rate in enumerate(curve, start=1)
    ]
    if rows:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([("readout", "split", "rank", "matching_rate"), *rows])
        artifacts["cmc.csv"] = text.getvalue().encode()
    return artifacts
