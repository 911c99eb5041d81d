"""Writes a given content to one MLflow run, with as few calls as possible; it can be repeated.

MLflow only appends metrics and never changes params. So what a run already holds is read from MLflow, and only the
difference is written. A run that contradicts its content (its epochs were measured again with another outcome, its
results are gone, or it showed another readout) is deleted and made anew.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from reid_search.common.arrays import chunks
from reid_search.tracking.content import CODE_TAGS, NOTE_BEGIN, NOTE_TAG, RunContent, tag_texts

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Run

ID_TAG = "reid_search.id"
SYNCED_TAG = "reid_search.synced"
CHANGED_TAG = "params_changed"

_METRICS_A_CALL = 1_000
_PARAMS_A_CALL = 100
# The last metric written of an epoch, so an epoch that has it is complete. Every epoch has one.
_MARK = "loss"

Item = TypeVar("Item")


class RunWriter:
    """Writes runs of one experiment."""

    def __init__(self, client: "MlflowClient", experiment: str) -> None:
        self._client = client
        self._experiment = experiment

    def write(self, run: "Run | None", content: RunContent) -> tuple[str, bool]:
        """Write a content to a run, or to a new run if it is None; return its id and whether anything was written."""
        if run is not None and is_up_to_date(run, content):
            return run.info.run_id, False
        seen = self._seen(run) if run is not None else {}
        if run is not None and content.replaceable and _contradicts(run, seen, content):
            self._client.delete_run(run.info.run_id)
            run, seen = None, {}
        run = run or self._create(content)
        run_id: str = run.info.run_id
        self._log(run, seen, content)
        if content.over or not run.data.params:
            self._log_files(run_id, content.artifacts)
        self._set_state(run, content)
        self._client.set_tag(run_id, SYNCED_TAG, content.digest)
        return run_id, True

    def end(self, run: "Run", status: str) -> None:
        """Close a run that the store does not know, or no longer knows."""
        self._client.set_tag(run.info.run_id, "status", status)
        self._client.set_terminated(run.info.run_id, "KILLED")

    def _create(self, content: RunContent) -> "Run":
        return self._client.create_run(
            self._experiment,
            start_time=int((content.begun if content.begun is not None else time.time()) * 1000),
            run_name=content.name,
            tags={ID_TAG: content.id, **content.tags},
        )

    def _seen(self, run: "Run") -> dict[int, float]:
        """Return the epochs that a run holds: step → loss."""
        if _MARK not in run.data.metrics:
            return {}
        return {metric.step: metric.value for metric in self._client.get_metric_history(run.info.run_id, _MARK)}

    def _log(self, run: "Run", seen: Mapping[int, float], content: RunContent) -> None:
        from mlflow.entities import Param, RunTag

        held = run.data.params
        changed = [f"{name} is now {text}" for name, text in content.params.items() if held.get(name, text) != text]
        tags = {**content.tags, **tag_texts({"mlflow.runName": content.name, CHANGED_TAG: "; ".join(changed)})}
        if NOTE_TAG in run.data.tags and not _is_our_note(run):
            tags.pop(NOTE_TAG, None)
        for name in _stale_tags(run, tags):
            self._client.delete_tag(run.info.run_id, name)
        batches = zip_longest(
            _chunks(list(_missing_metrics(run, seen, content)), _METRICS_A_CALL),
            _chunks([Param(name, text) for name, text in content.params.items() if name not in held], _PARAMS_A_CALL),
            _chunks(
                [RunTag(name, text) for name, text in tags.items() if run.data.tags.get(name) != text], _PARAMS_A_CALL
            ),
            fillvalue=(),
        )
        for metrics, params, new_tags in batches:
            self._client.log_batch(run.info.run_id, metrics=metrics, params=params, tags=new_tags)

    def _log_files(self, run_id: str, files: Mapping[str, bytes]) -> None:
        with TemporaryDirectory() as folder:
            for name, content in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            self._client.log_artifacts(run_id, folder)

    def _set_state(self, run: "Run", content: RunContent) -> None:
        if run.info.status == content.state and run.info.end_time is not None:
            return
        if content.over:
            ended = int(content.ended * 1000) if content.ended is not None else None
            self._client.set_terminated(run.info.run_id, content.state, ended)
        elif run.info.status != content.state:
            self._client.update_run(run.info.run_id, status=content.state)


def is_up_to_date(run: "Run", content: RunContent) -> bool:
    """Say whether a run holds a content, by the hash in its tag."""
    return bool(run.data.tags.get(SYNCED_TAG) == content.digest and run.info.status == content.state)


def _contradicts(run: "Run", seen: Mapping[int, float], content: RunContent) -> bool:
    """Say whether a run holds anything that the store does not; epochs may be absent while they are measured again."""
    held = run.data.params
    if any(content.params.get(name, text) != text for name, text in held.items()):
        return True
    expected = {epoch.step: epoch.metrics.get(_MARK) for epoch in content.epochs}
    if any(step in expected and expected[step] != value for step, value in seen.items()):
        return True
    if not content.over:
        return False
    names = set(content.metrics).union(*(epoch.metrics for epoch in content.epochs))
    return bool(set(seen) - set(expected) or set(run.data.metrics) - names or set(held) - set(content.params))


def _stale_tags(run: "Run", tags: Mapping[str, str]) -> list[str]:
    """Return our tags that are no longer true; tags added by a person or by MLflow stay."""
    ours = ("arm", "collapsed", "phase", "readout", "reason", "result", "tuned", "verdict", CHANGED_TAG, *CODE_TAGS)
    notes = (NOTE_TAG,) if _is_our_note(run) else ()
    return [name for name in (*ours, *notes) if name in run.data.tags and name not in tags]


def _is_our_note(run: "Run") -> bool:
    return bool(run.data.tags.get(NOTE_TAG, "").startswith(NOTE_BEGIN))


def _missing_metrics(run: "Run", seen: Mapping[int, float], content: RunContent) -> "Iterator[Metric]":
    from mlflow.entities import Metric

    start = run.info.start_time
    for epoch in content.epochs:
        if epoch.step not in seen:
            for name, value in sorted(epoch.metrics.items(), key=lambda item: item[0] == _MARK):
                yield Metric(name, value, start + int(epoch.elapsed * 1000), epoch.step)
    now = int(time.time() * 1000)
    for name, value in content.metrics.items():
        if name not in run.data.metrics:
            yield Metric(name, value, int(content.ended * 1000) if content.ended is not None else now, content.step)
        elif run.data.metrics[name] != value:
            yield Metric(name, value, now, content.step)
    if not content.replaceable:  # the best of a search is unknown for a while after its space changed
        for name in run.data.metrics:
            if name not in content.metrics and not math.isnan(run.data.metrics[name]):
                yield Metric(name, math.nan, now, content.step)


def _chunks(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    return [items[rows] for rows in chunks(len(items), size)]
