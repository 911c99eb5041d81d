"""Who asked for a trial: a training may serve several arms, proposals and phases."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Identity = tuple[str, int]

_NAMES_SHOWN = 3


@dataclass
class Asked:
    """What was asked of one trial, over the whole log.

    Attributes:
        phases: Names of the phases, in the order in which they asked.
        names: Names of arms and numbers of proposals (`#7`), likewise.
        replicate: Whether an ablation asked, so that seeds tell its runs apart.
        labels: Axis path → label, where all who asked agree.
    """

    phases: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    replicate: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    _disputed: set[str] = field(default_factory=set)

    def add(self, event: Mapping[str, Any]) -> None:
        """Take note of one `ask` event."""
        is_search = event.get("kind") == "search"
        self.replicate = self.replicate or event.get("kind") == "ablate"
        name = f"#{event.get('number')}" if is_search else str(event.get("arm"))
        for known, new in ((self.phases, str(event.get("phase"))), (self.names, name)):
            if new not in known:
                known.append(new)
        for path, label in dict(event.get("settings") or {}).items():
            if self.labels.setdefault(path, str(label)) != str(label):
                self._disputed.add(path)
        for path in self._disputed:
            self.labels.pop(path, None)

    def run_name(self, seed: int) -> str:
        """Return a readable name: `#7`, or `baseline s2`."""
        names = ", ".join(self.names[:_NAMES_SHOWN])
        if len(self.names) > _NAMES_SHOWN:
            names += f" and {len(self.names) - _NAMES_SHOWN} more"
        return f"{names} s{seed}" if self.replicate else names


def asked_trials(events: Iterable[Mapping[str, Any]]) -> dict[Identity, Asked]:
    """Return who asked for each trial.

    Args:
        events: The lines of `asked.jsonl`, in order.
    """
    found: dict[Identity, Asked] = {}
    for event in events:
        if event.get("event") == "ask" and "key" in event and "seed" in event:
            found.setdefault((str(event["key"]), int(event["seed"])), Asked()).add(event)
    return found
