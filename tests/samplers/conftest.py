"""A search without training: a clock, some workers, and a value for every setting."""

import heapq
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reid_search.scheduling.proposals import Params, Proposer
from reid_search.study import Axis, SearchPhase, Settings, Space

BASE: dict[str, Any] = {
    "data": {"name": "synthetic", "preset": "tiny"},
    "model": {"architecture": "baseline", "backbone": "resnet10_thin"},
    "training": {"images": 108, "report_every": 12, "batch": {"ids": 4, "per_id": 3}},
}
AXES: dict[str, dict[str, Any]] = {
    "lr": {"log_uniform": [1e-4, 1e-1], "levels": [1e-3, 1e-2, 1e-1]},
    "dim": {"integer": [8, 64], "levels": [16, 32]},
    "neck": {"choice": ["none", "bn", "ln"]},
    "margin": {"uniform": [0.1, 2.0], "levels": [0.3, 1.2], "when": {"neck": ["bn", "ln"]}},
    "affine": {"choice": [True, False], "when": {"neck": "ln"}},
}


def value_of(settings: Settings) -> float:
    """Return what a trial reaches, in [0, 1]."""
    draw = random.Random(str([(path, level.label) for path, level in settings.items()]))
    return draw.random()


class Search:
    """Asks, runs and tells the trials of a search on a clock; what it was told can be told to another proposer."""

    def __init__(
        self, proposer: Proposer, workers: int, value: Callable[[Settings], float] = value_of, fails_every: int = 9
    ) -> None:
        self.proposer = proposer
        self.asked: list[tuple[Settings, Params]] = []
        self.told: dict[int, float | None] = {}
        self._workers = workers
        self._value = value
        self._fails_every = fails_every
        self._draw = random.Random(1)
        self._clock = 0.0
        self._running: list[tuple[float, int]] = []

    def ask(self, count: int) -> list[Settings]:
        """Ask until there are so many proposals, and wait for a trial to end whenever all workers are busy."""
        while len(self.asked) < count:
            while len(self._running) >= self._workers:
                self.end_one()
            number = len(self.asked)
            self.asked.append(self.proposer.ask(number))
            heapq.heappush(self._running, (self._clock + self._draw.uniform(0.5, 1.5), number))
        return [settings for settings, _ in self.asked]

    def end_one(self) -> None:
        """Let the next trial end."""
        self._clock, number = heapq.heappop(self._running)
        fails = (number + 1) % self._fails_every == 0
        self.told[number] = None if fails else self._value(self.asked[number][0])
        self.proposer.tell(number, self.told[number])

    def replayed(self, proposer: Proposer) -> Proposer:
        """Tell another proposer what a log and its records would: the proposals by number, each with its outcome."""
        for number, (_, params) in enumerate(self.asked):
            proposer.again(number, params)
            if number in self.told:
                proposer.tell(number, self.told[number])
        return proposer


@pytest.fixture
def make_proposer() -> Callable[..., Proposer]:
    """Make the proposer of a sampler."""

    def make(sampler: object, axes: Mapping[str, Mapping[str, Any]] = AXES, seed: int = 3) -> Proposer:
        phase = SearchPhase.model_validate({"kind": "search", "sampler": sampler, "trials": 60, "pruner": "none"})
        space = Space(BASE, {path: Axis.model_validate(axis) for path, axis in axes.items()})
        phase.sampler.check(space)
        return Proposer(phase, space, seed, "study/search")

    return make


@pytest.fixture
def make_search() -> Callable[..., Search]:
    """Make a search with some workers."""
    return Search
