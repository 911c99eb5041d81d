"""A trial on disk, and the one rule for which number belongs to which asker."""

import math
from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from reid_search.errors import RecordError
from reid_search.records.code import CodeVersion
from reid_search.records.events import Ask
from reid_search.records.folder import TrialFolder
from reid_search.records.identity import Status, TrialId
from reid_search.records.reading import WAY_OUT
from reid_search.records.record import Record, Started
from reid_search.records.verifying import key_of_config
from reid_search.records.weights import LoadedWeights
from reid_search.study.metrics import SPLITS

USUAL_READOUT = "default"


@dataclass(frozen=True)
class Trial:
    """One trial on disk.

    Attributes:
        reason: Why it stopped or failed, or what is wrong with its files.
        config: Its config, defaults filled in; empty before it started.
        data_fingerprint: Identifies images and labels.
        seconds: Time spent so far, over all interruptions.
        epochs: Number of epochs measured.
        last_epoch: The last line of its epochs.
        columns: `epoch` and every validation metric by its column of the epochs, one number an epoch, NaN where it was
            not measured.
        record: Its record, unless it is running or unreadable.
        code: The code that trains it; None if it is not known.
    """

    id: TrialId
    status: Status
    reason: str | None = None
    config: Mapping[str, object] = field(default_factory=dict)
    data_fingerprint: str | None = None
    images_seen: int = 0
    seconds: float = 0.0
    epochs: int = 0
    last_epoch: Mapping[str, float] = field(default_factory=dict)
    columns: Mapping[str, Sequence[float]] = field(default_factory=dict, repr=False, compare=False)
    record: Record | None = None
    code: CodeVersion | None = None

    @property
    def key(self) -> str:
        """Key of the training."""
        return self.id.key

    @property
    def seed(self) -> int:
        """The replicate."""
        return self.id.seed

    def fingerprint_of(self, split: str) -> str | None:
        """Return what identifies the images and labels of a split."""
        return self.record.fingerprint_of(split) if self.record else self.data_fingerprint

    def section(self, name: str) -> Mapping[str, object]:
        """Return a section of its config, such as `data`; empty before it started."""
        found = self.config.get(name)
        return found if isinstance(found, Mapping) else {}

    @property
    def readouts(self) -> list[str]:
        """The record's names of its readouts; the plain columns of its epochs belong to the first."""
        if self.record and self.record.readouts:
            return list(self.record.readouts)
        return list(self.section("readouts"))

    @property
    def first_readout(self) -> str | None:
        """The readout to show if nobody asks for another."""
        return standing_readout(self.readouts)

    def number(self, readout: str | None, metric: str) -> float | None:
        """Return a finished trial's metric (`test/mAP`) of a readout, by the record's name; None if there is none."""
        if self.status != Status.FINISHED or self.record is None or readout not in self.record.readouts:
            return None
        return self.record.readouts[readout].metrics.get(metric)

    def measured(self, readout: str | None) -> Mapping[str, float]:
        """Return all measurements of a readout; none if it was not tested."""
        found = self.record.readouts.get(readout or "") if self.record else None
        return found.metrics if found else {}

    def last_value(self, readout: str | None, metric: str) -> float | None:
        """Return a readout's metric after the last epoch; None if it was not measured then."""
        return self.last_epoch.get(epoch_column(self.section("readouts"), readout, metric))

    def curve(self, readout: str | None, metric: str) -> dict[int, float]:
        """Return a readout's metric after each epoch at which it was measured."""
        values = self.columns.get(epoch_column(self.section("readouts"), readout, metric), ())
        return {int(epoch): value for epoch, value in zip(self.columns.get("epoch", ()), values, strict=False)
                if not math.isnan(value)}  # fmt: skip

    def has(self, readout: str, split: str) -> bool:
        """Say whether a readout was tested on a split."""
        measured = self.record.readouts.get(readout) if self.record else None
        return measured is not None and any(name.startswith(f"{split}/") for name in measured.metrics)


def standing_readout(names: Collection[str]) -> str | None:
    """Return the readout that represents several: `default` if it is among them, else the first; None if empty."""
    return USUAL_READOUT if USUAL_READOUT in names else next(iter(names), None)


def epoch_column(readouts: Collection[str], readout: str | None, metric: str) -> str:
    """Return the column of the epochs that holds a readout's metric: plain for the first (or None), else prefixed."""
    return metric if readout is None or readout == next(iter(readouts), readout) else f"{readout}/{metric}"


def status_of(trial: Trial | None, readout: str | None, split: str) -> Status:
    """Return the status of the measurement of a trial's readout on a split; the trial is None before it started."""
    if trial is None:
        return Status.WAITING
    if trial.status == Status.FINISHED and not (readout and trial.has(readout, split)):
        return Status.UNMEASURED
    return trial.status


def whose_column(readouts: Sequence[str], column: str) -> tuple[str | None, str]:
    """Return the readout (None for a loss) and the metric of a column of the epochs; the inverse of `epoch_column`."""
    head, _, rest = column.partition("/")
    if head in readouts and rest.partition("/")[0] in SPLITS:
        return head, rest
    return next(iter(readouts), None) if head in SPLITS else None, column


def asked_readouts(ask: Ask, trial: Trial | None) -> Mapping[str, str]:
    """Return the readouts that an asker wants, its own first: name → name in the record.

    An early log does not name them; then all readouts of the trial are meant.
    """
    readouts = ask.readouts or {name: name for name in (trial.readouts if trial else ())}
    own = standing_readout(readouts)
    return {own: readouts[own], **readouts} if own is not None else {}


def own_readout(ask: Ask, trial: Trial | None) -> str | None:
    """Return the record's name of an asker's own readout; see `asked_readouts`."""
    return next(iter(asked_readouts(ask, trial).values()), None)


def value_of(ask: Ask, trials: Mapping[TrialId, Trial], metric: str) -> float | None:
    """Return the number of an asker: a metric of its own readout; None if it is not measured."""
    trial = trials.get(ask.trial)
    return trial.number(own_readout(ask, trial), metric) if trial else None


def read_trial(folder: TrialFolder, *, tolerant: bool = False) -> Trial:
    """Read what a trial left on disk.

    Args:
        folder: The trial's folder.
        tolerant: Return a trial that says what is wrong with its files instead of raising.

    Raises:
        RecordError: A file is cut or has a newer version.
    """
    try:
        return _read(folder)
    except RecordError as error:
        if not tolerant:
            raise
        return Trial(folder.id, Status.UNREADABLE, str(error))


def _check_key(folder: TrialFolder, file: str, found: Record | Started, weights: Sequence[LoadedWeights]) -> None:
    """Refuse a config that makes another key than the one under which it lies: somebody edited it.

    Files of releases that did not note their code are taken as they are.
    """
    if found.code is None or not found.data_fingerprint:
        return
    key = key_of_config(found.config, found.data_fingerprint, weights, folder.id.key)
    if key not in (None, folder.id.key):
        edited = f"its config makes the key {key}, and the trial has {folder.id.key}, so the file was edited"
        raise RecordError(f"{folder.path / file}: {edited}{WAY_OUT}")


def _read(folder: TrialFolder) -> Trial:
    epochs = folder.epochs()
    last = epochs[-1] if epochs else {}
    record = folder.record()
    if record is None:
        started = folder.config() or {}
        _check_key(folder, "config.json", Started.model_validate(started), ())
        return Trial(
            folder.id,
            Status.RUNNING,
            config=started.get("config", {}),
            data_fingerprint=started.get("data_fingerprint"),
            images_seen=int(last.get("images_seen", 0)),
            seconds=folder.seconds(),
            epochs=len(epochs),
            last_epoch=last,
            columns=_columns(epochs),
            code=folder.code(),
        )
    if (record.key, record.seed) != folder.id:
        raise RecordError(f"{folder.path}: holds the record of {record.key}-s{record.seed}; was a folder renamed?")
    _check_key(folder, "record.json", record, record.weights)
    return Trial(
        folder.id,
        Status(record.status),
        reason=record.reason,
        config=record.config,
        data_fingerprint=record.data_fingerprint,
        images_seen=record.images_seen,
        seconds=record.context.seconds,
        epochs=len(epochs),
        last_epoch=last,
        columns=_columns(epochs),
        record=record,
        code=record.code,
    )


def _columns(epochs: Sequence[Mapping[str, float]]) -> dict[str, Sequence[float]]:
    """Return the epochs by column, as arrays, since a study may have a million epochs."""
    names = dict.fromkeys(name for row in epochs for name in row if "val/" in name or name == "epoch")
    return {name: array("d", (float(row.get(name, math.nan)) for row in epochs)) for name in names}
