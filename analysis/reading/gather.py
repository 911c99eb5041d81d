"""Read what the trials of a study left on disk, each file once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reid_search.errors import RecordError, RequestError, StudyError, nearest
from reid_search.records import Record, StudyStore, TrialFolder
from reid_search.study.document import read_document

Event = Mapping[str, Any]
Identity = tuple[str, int]

_NEEDED = {"ask": ("phase", "kind", "key", "seed", "evaluate"), "search": ("number",), "ablate": ("arm",)}


@dataclass(frozen=True)
class Trial:
    """One trial as it stands on disk.

    Attributes:
        key: Hash of the training config.
        seed: Its seed.
        status: `finished`, `stopped`, `failed`; `running` without a record; `unreadable` where that was tolerated.
        reason: Why it stopped or failed, or what is wrong with its files.
        config: The trial's config, defaults filled in; empty before it started.
        data_fingerprint: What identifies images and labels.
        images_seen: Training images seen so far.
        seconds: Time spent so far, over all interruptions.
        epochs: Number of epochs measured.
        last_epoch: The last line of `epochs.jsonl`.
        record: Its record, unless running or unreadable.
    """

    key: str
    seed: int
    status: str
    reason: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    data_fingerprint: str | None = None
    images_seen: int = 0
    seconds: float = 0.0
    epochs: int = 0
    last_epoch: Mapping[str, Any] = field(default_factory=dict)
    record: Record | None = None

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.key}-s{self.seed}"

    @property
    def first_readout(self) -> str | None:
        """The readout that stands for the trial: `default` where there is one; None where nothing was measured."""
        names = list(self.record.readouts) if self.record else []
        return "default" if "default" in names else next(iter(names), None)


@dataclass(frozen=True)
class StudyResults:
    """Everything that a study has measured so far.

    Attributes:
        path: The study's folder.
        study: Content of `study.yaml`; empty where there is none.
        events: The lines of `asked.jsonl`.
        trials: The trials by key and seed, sorted by name.
        problems: What of the study file and the log could not be read, where that was tolerated; an unreadable trial
            says so itself.
    """

    path: Path
    study: Mapping[str, Any]
    events: tuple[Event, ...]
    trials: Mapping[Identity, Trial]
    problems: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The study's name."""
        return str(self.study.get("name", self.path.name))

    def phase(self, name: str) -> Mapping[str, Any]:
        """Return a phase as `study.yaml` has it; empty where it has none of that name."""
        phases = [phase for phase in self.study.get("phases", ()) if isinstance(phase, Mapping)]
        return next((phase for phase in phases if phase.get("name") == name), {})


def gather(study_dir: Path | str, *, tolerant: bool = False) -> StudyResults:
    """Read a study.

    Args:
        study_dir: `<storage>/<study>`.
        tolerant: Note files that cannot be read instead of raising.

    Raises:
        RequestError: There is no study in this folder.
        RecordError: A file is cut or of another version.
    """
    store = StudyStore.at(Path(study_dir).resolve())
    _check_folder(store, Path(study_dir))
    problems: list[str] = []
    study = _read_study(store.study_file, problems, tolerant)
    events = tuple(_read_events(store, problems, tolerant))
    found = (_read_trial(folder, tolerant) for folder in store.trials())
    trials = {(trial.key, trial.seed): trial for trial in found if trial is not None}
    return StudyResults(store.path, study, events, trials, tuple(problems))


def _check_folder(store: StudyStore, asked: Path) -> None:
    if any((store.path / name).exists() for name in ("study.yaml", "asked.jsonl", "trials")):
        return
    studies = sorted(path.parent.name for path in store.storage.glob("*/asked.jsonl"))
    raise RequestError(f"{asked}: no study was run here; {nearest(store.name, studies)}")


def _read_study(path: Path, problems: list[str], tolerant: bool) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return read_document(path).data
    except StudyError as error:
        if not tolerant:
            raise RecordError(str(error)) from error
        problems.append(str(error))
        return {}


def _read_events(store: StudyStore, problems: list[str], tolerant: bool) -> Iterator[Event]:
    """Yield the log up to the first line that cannot be read."""
    try:
        for line, event in enumerate(store.asked, start=1):
            _check_event(event, f"{store.asked.path}, line {line}")
            yield event
    except RecordError as error:
        if not tolerant:
            raise
        problems.append(str(error))


def _check_event(event: Event, place: str) -> None:
    kinds = [str(event.get("event"))]
    if kinds == ["ask"]:
        kinds.append(str(event.get("kind")))
    missing = [name for kind in kinds for name in _NEEDED.get(kind, ()) if name not in event]
    if missing:
        raise RecordError(f"{place}: an ask without '{missing[0]}'; was it written by another release?")


def _read_trial(folder: TrialFolder, tolerant: bool) -> Trial | None:
    key, separator, seed = folder.path.name.rpartition("-s")
    if not separator or not seed.isdigit():
        return None
    try:
        return _trial(folder, key, int(seed))
    except RecordError as error:
        if not tolerant:
            raise
        return Trial(key, int(seed), "unreadable", str(error))


def _trial(folder: TrialFolder, key: str, seed: int) -> Trial:
    epochs = folder.epochs()
    last = epochs[-1] if epochs else {}
    record = folder.record()
    if record is None:
        started = folder.config() or {}
        return Trial(
            key=key,
            seed=seed,
            status="running",
            config=started.get("config", {}),
            data_fingerprint=started.get("data_fingerprint"),
            images_seen=int(last.get("images_seen", 0)),
            seconds=folder.seconds(),
            epochs=len(epochs),
            last_epoch=last,
        )
    if (record.key, record.seed) != (key, seed):
        raise RecordError(f"{folder.path}: holds the record of {record.key}-s{record.seed}; was a folder renamed?")
    return Trial(
        key=key,
        seed=seed,
        status=record.status,
        reason=record.reason,
        config=record.config,
        data_fingerprint=record.data_fingerprint,
        images_seen=record.images_seen,
        seconds=record.context.seconds,
        epochs=len(epochs),
        last_epoch=last,
        record=record,
    )
