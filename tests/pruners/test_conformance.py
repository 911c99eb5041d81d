"""What every pruner promises. A new one passes these tests as it is, or adds settings to `SETTINGS`."""

import heapq
import math
import random
import zlib

import pytest

from reid_search.scheduling.proposals import Proposer
from reid_search.study import PRUNERS, Axis, SearchPhase, Space

EPOCHS, TRIALS, WORKERS = 9, 40, 4
SETTINGS = {
    "successive_halving": [{}, {"min_epochs": 2, "reduction": 2}],
    "hyperband": [{}, {"min_epochs": 2, "reduction": 2}, {"min_epochs": 3, "max_epochs": 30}],
    "median": [{}, {"min_epochs": 4, "startup": 2}],
}
CASES = [
    pytest.param({"kind": kind, **settings}, id=f"{kind}-{index}")
    for kind in PRUNERS.names()
    for index, settings in enumerate(SETTINGS.get(kind, [{}]))
]
every_pruner = pytest.mark.parametrize("pruner", CASES)
BASE = {
    "data": {"name": "synthetic", "preset": "tiny"},
    "model": {"architecture": "baseline", "backbone": "resnet10_thin"},
    "training": {"images": 12 * EPOCHS, "report_every": 12, "batch": {"ids": 4, "per_id": 3}},
}


def config_of(pruner):
    return SearchPhase.model_validate({"kind": "search", "sampler": "random", "trials": TRIALS, "pruner": pruner})


def make_proposer(pruner, name="study/search"):
    return Proposer(config_of(pruner), Space(BASE, {"x": Axis(uniform=(0.0, 1.0))}), 0, name)


def value_of(number, epoch):
    """A learning curve: trials differ from the start, and by more than they wobble."""
    draw = random.Random(f"{number}")
    return draw.random() * (1 - math.exp(-epoch / 2)) + random.Random(f"{number} {epoch}").gauss(0, 0.02)


class Run:
    """Trials on a clock, an epoch each in turn, whose log a later run can go on from."""

    def __init__(self, pruner, name="study/search"):
        self.proposer = make_proposer(pruner, name)
        self.asked = []
        self.epochs = {}
        self.stopped = {}
        self.finished = set()
        self.clock = []
        self.draw = random.Random(2)

    def go(self, epochs=10_000):
        """Run so many epochs, or to the end."""
        for _ in range(epochs):
            while len(self.asked) < TRIALS and len(self.clock) < WORKERS:
                number = len(self.asked)
                self.asked.append(self.proposer.ask(number)[1])
                self.epochs[number] = 0
                heapq.heappush(self.clock, (self.draw.random(), number))
            if not self.clock:
                break
            now, number = heapq.heappop(self.clock)
            epoch = self.epochs[number] = self.epochs[number] + 1
            if epoch == EPOCHS:
                self.proposer.tell(number, value_of(number, epoch))
                self.finished.add(number)
            elif self.proposer.report(number, epoch, value_of(number, epoch)):
                self.proposer.tell(number, None, stopped=True)
                self.stopped[number] = epoch
            else:
                heapq.heappush(self.clock, (now + self.draw.random(), number))
        return self

    def die(self, pruner):
        """Make the proposer again from what is on the disk: trial after trial, each with all its epochs."""
        self.proposer = make_proposer(pruner)
        for number, params in enumerate(self.asked):
            self.proposer.again(number, params)
            for epoch in range(1, min(self.epochs[number], EPOCHS - 1) + 1):
                self.proposer.report(number, epoch, value_of(number, epoch))
            if number in self.stopped:
                self.proposer.tell(number, None, stopped=True)
            elif number in self.finished:
                self.proposer.tell(number, value_of(number, EPOCHS))
        return self


@every_pruner
def test_it_stops_trials_but_none_before_its_fewest_epochs(pruner):
    stopped = Run(pruner).go().stopped
    config = config_of(pruner).pruner
    assert bool(stopped) == config.stops
    assert all(epoch >= config.begins(EPOCHS) for epoch in stopped.values())


@pytest.mark.parametrize(("epochs", "first"), [(1, 1), (2, 1), (5, 1), (6, 2), (9, 3), (60, 20)])
def test_halving_begins_after_a_third_of_a_trial_unless_it_is_told(epochs, first):
    assert config_of("successive_halving").pruner.begins(epochs) == first
    assert config_of({"min_epochs": 4}).pruner.begins(epochs) == 4


@every_pruner
def test_the_better_half_is_stopped_less(pruner):
    if not config_of(pruner).pruner.stops:
        pytest.skip("stops nothing")
    stopped = Run(pruner).go().stopped
    order = sorted(range(TRIALS), key=lambda number: value_of(number, EPOCHS))
    worse, better = (sum(number in stopped for number in half) for half in (order[:20], order[20:]))
    assert worse > better


@every_pruner
@pytest.mark.parametrize("died_after", [3, 20, 50, 90])
def test_a_run_that_died_stops_the_same_trials(pruner, died_after):
    whole = Run(pruner).go()
    resumed = Run(pruner).go(died_after).die(pruner).go()
    assert resumed.stopped == whole.stopped
    assert resumed.asked == whole.asked


@pytest.mark.filterwarnings("ignore:All-NaN slice")
@every_pruner
def test_an_epoch_that_is_no_number_stops_at_most_its_trial(pruner):
    proposer = make_proposer(pruner)
    config = config_of(pruner).pruner
    for number in range(12):
        proposer.ask(number)
        for epoch in range(1, EPOCHS):
            wrong = number % 4 == 3
            stops = proposer.report(number, epoch, math.nan if wrong else 0.5 + 0.01 * number + 0.001 * epoch)
            assert not (stops and epoch < (config.begins(EPOCHS) or EPOCHS))
        proposer.tell(number, math.nan if wrong else 0.9)


def test_hyperband_hashes_the_names_of_study_and_phase_into_brackets():
    """Sizes of brackets as in Li et al. 2018: of 9 epochs 3, with 9, 5 and 3 of 17 trials and first rungs 1, 3, 9."""
    stopped = {name: Run("hyperband", name).go().stopped for name in ("study/search", "study/other")}
    assert stopped["study/search"] != stopped["study/other"]
    for name, epochs in stopped.items():
        share = {number: zlib.crc32(f"{name}_{number}".encode()) % 17 for number in range(TRIALS)}
        first_rung = {number: 1 if own < 9 else 3 if own < 14 else 9 for number, own in share.items()}
        assert all(epoch >= first_rung[number] for number, epoch in epochs.items())
        assert {first_rung[number] for number in epochs} == {1, 3}


def test_hyperbands_longest_trial_can_be_named():
    """Of 3 epochs there are 2 brackets, with 3 and 2 of 5 trials; of the 9 that a trial has, three."""
    stopped = Run({"kind": "hyperband", "max_epochs": 3}).go().stopped
    lenient = {number for number in range(TRIALS) if zlib.crc32(f"study/search_{number}".encode()) % 5 >= 3}
    assert min(stopped[number] for number in lenient if number in stopped) >= 3
    assert min(stopped.values()) == 1
