"""What one MLflow run shall hold, as plain data: computed from the store, and compared before anything is written."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from reid_search.study.question.axes import label_of
from reid_search.study.trial.key import digest

RunState = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]

_LONGEST_NAME = 250
_LONGEST_PARAM = 6_000
_LONGEST_TAG = 5_000
_NOT_IN_NAMES = re.compile(r"[^\w\-. :/]")


@dataclass(frozen=True)
class Epoch:
    """The measurements of one epoch.

    Attributes:
        step: Its number, from 1.
        elapsed: Seconds from the run's start to its end.
    """

    step: int
    elapsed: float
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class RunContent:
    """What one MLflow run shall hold.

    Attributes:
        id: What the run is found by: `study`, or the id of a `TrialRun`.
        name: What MLflow's tables call it.
        state: MLflow's status.
        tags: Tags, whose values may change later.
        params: Settings, which MLflow never lets change: a run that holds others is made anew.
        epochs: Measurements that grow with time, in order.
        metrics: Measurements of which the latest value counts.
        step: Step of `metrics`. At one step the newest value counts, at a lower step none does.
        artifacts: Files by path, with `/` between folders.
        begun: Start in seconds since 1970; None stands for now.
        ended: End in seconds since 1970; None while running or where it is not known.
        replaceable: Whether a run that holds other numbers or settings is made anew; not where other runs lie under it.
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
        """Whether nothing is measured at the moment."""
        return self.state != "RUNNING"

    @property
    def digest(self) -> str:
        """Hash of everything; a run that carries it needs no update."""
        epochs = [[epoch.step, dict(epoch.metrics)] for epoch in self.epochs]
        files = {path: hashlib.sha256(content).hexdigest() for path, content in self.artifacts.items()}
        content = [self.name, self.state, self.tags, self.params, epochs, self.metrics, self.step, files]
        return digest([dict(part) if isinstance(part, Mapping) else part for part in content])


def flattened(content: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the leaves of nested maps with their dotted paths; a list is a leaf, and so is an empty map."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def param_texts(leaves: Mapping[str, object]) -> dict[str, str]:
    """Return settings as MLflow keeps them: text as it is, anything else as JSON, cut at 6,000 characters."""
    return {allowed_name(path): _cut(label_of(value), _LONGEST_PARAM) for path, value in leaves.items()}


def tag_texts(tags: Mapping[str, object]) -> dict[str, str]:
    """Return tags as MLflow keeps them; what is None or empty is left out."""
    return {name: _cut(str(value), _LONGEST_TAG) for name, value in tags.items() if value not in (None, "")}


def numbers(row: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers of a row under names that MLflow allows."""
    return {
        allowed_name(name): float(value)
        for name, value in row.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def allowed_name(name: str) -> str:
    """Return a name with everything replaced that MLflow refuses in params and metrics: `mAP@R` is `mAP_at_R`."""
    return _NOT_IN_NAMES.sub("_", name.replace("@", "_at_"))[:_LONGEST_NAME]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
