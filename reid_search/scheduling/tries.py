"""How often to retry a trial that its surroundings stopped, and how long to wait before each retry."""

from collections import Counter
from collections.abc import Sequence

from reid_search.records import TrialId


class Tries:
    """Counts the failures since a trial's last new epoch."""

    def __init__(self, pauses: Sequence[float]) -> None:
        self._pauses = pauses
        self._failures: Counter[TrialId] = Counter()
        self._epochs: dict[TrialId, int] = {}

    @property
    def most(self) -> int:
        """How often a trial is tried at most."""
        return len(self._pauses) + 1

    def is_news(self, trial: TrialId, epoch: int) -> bool:
        """Take an epoch of a trial; say whether it is new, and not the repetition of a trial that started over."""
        if epoch <= self._epochs.get(trial, 0):
            return False
        self._epochs[trial] = epoch
        self._failures.pop(trial, None)
        return True

    def pause_after(self, trial: TrialId) -> float | None:
        """Count a failure; return the seconds to wait before the next try, None after the last."""
        failures = self._failures[trial]
        self._failures[trial] += 1
        return self._pauses[failures] if failures < len(self._pauses) else None
