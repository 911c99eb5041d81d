"""What one MLflow run should hold, as plain data: computed from the store, and compared before anything is written."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeGuard

from reid_search.records import CodeVersion
from reid_search.study.component import label_of
from reid_search.study.trial.key import digest

RunState = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]

KIND_TAG = "kind"  # what a run stands for; the prepared views ask for it
NOTE_TAG = "mlflow.note.content"  # the description of a run on MLflow's page, which people may write too
NOTE_BEGIN = "Collapsed or failed seeds (95 % interval of their rate):"

CODE_ENTRIES = ("code", "tested_by")  # of a record
CODE_TAGS = tuple(f"{entry}.{part}" for entry in CODE_ENTRIES for part in CodeVersion.model_fields)


class Kind(StrEnum):
    """What a run stands for."""

    STUDY = "study"
    ARM = "arm"
    TRIAL = "trial"


_LONGEST_NAME = 250
_LONGEST_PARAM = 6_000
_LONGEST_TAG = 5_000
_NOT_IN_NAMES = re.compile(r"[^\w\-. :/]")


@dataclass(frozen=True)
class Epoch:
    """The measurements of one epoch.

    Attributes:
        step: Its number, from 1.
        elapsed: Seconds from the run's start to the end of the epoch.
    """

    step: int
    elapsed: float
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class RunContent:
    """What one MLflow run should hold.

    Attributes:
        id: The tag to find it by: `study`, the id of an arm, or that of a `TrialRun`.
        name: Its name in MLflow's tables.
        state: MLflow's status.
        tags: Values that may change later.
        params: Settings, which MLflow never changes: a run with other settings is made anew.
        epochs: Measurements that grow with time, in order.
        metrics: Measurements whose latest value counts.
        step: Step of `metrics`. MLflow shows the newest value of the highest step.
        artifacts: Files by path, with `/` between folders.
        begun: Start in seconds since 1970; None means now.
        ended: End in seconds since 1970; None while running or if it is not known.
        replaceable: Whether to make a run anew that holds other numbers or settings; false if it has child runs.
    """

    id: str
    name: str
    state: RunState
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    epochs: tuple[Epoch, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    step: int = 0
    artifacts: Mapping[str, bytes] = field(default_factory=dict)
    begun: float | None = None
    ended: float | None = None
    replaceable: bool = True

    @property
    def over(self) -> bool:
        """Whether measuring has ended."""
        return self.state != "RUNNING"

    @property
    def digest(self) -> str:
        """Hash of everything; a run that carries it needs no update."""
        epochs = [[epoch.step, dict(epoch.metrics)] for epoch in self.epochs]
        files = {path: hashlib.sha256(content).hexdigest() for path, content in self.artifacts.items()}
        content = [self.name, self.state, self.tags, self.params, epochs, self.metrics, self.step, files]
        return digest([dict(part) if isinstance(part, Mapping) else part for part in content])


def param_texts(settings: Mapping[str, object]) -> dict[str, str]:
    """Return settings in MLflow's form: text unchanged, anything else as JSON, cut at 6,000 characters."""
    return {allowed_name(path): _cut(label_of(value), _LONGEST_PARAM) for path, value in settings.items()}


def tag_texts(tags: Mapping[str, object]) -> dict[str, str]:
    """Return tags in MLflow's form, without those that are None or empty."""
    return {name: _cut(str(value), _LONGEST_TAG) for name, value in tags.items() if value not in (None, "")}


def numbers(row: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers of a row under names that MLflow allows."""
    return {allowed_name(name): float(value) for name, value in row.items() if is_number(value)}


def time_of(iso: str | None) -> float | None:
    """Return an ISO time in seconds since 1970; None if there is none."""
    return datetime.fromisoformat(iso).timestamp() if iso else None


def is_number(value: object) -> TypeGuard[int | float]:
    """Say whether a value is a number; a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def allowed_name(name: str) -> str:
    """Return a name without the characters that MLflow refuses in params and metrics: `mAP@R` becomes `mAP_at_R`."""
    return _NOT_IN_NAMES.sub("_", name.replace("@", "_at_"))[:_LONGEST_NAME]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
