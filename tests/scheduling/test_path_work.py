"""Paths from a centre to a search's best, on values from a table: the greedy path, whatever dies."""

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

from analysis import load_arms
from reid_search.errors import ReidSearchError
from reid_search.records import ArmAsked, Ask, CandidateAsked, StepChosen, StudyStore
from reid_search.study import TrialConfig

MakeDriver = Callable[..., Any]
State = dict[str, Any]
Kind = TypeVar("Kind", bound=Ask)

NECK, POOLING, IDS, MARGIN = "model.neck", "model.pooling", "training.batch.ids", "losses.triplet.margin"
LEVELS: dict[str, list[Any]] = {NECK: ["none", "bnneck"], POOLING: ["max", "avg"], IDS: [4, 3], MARGIN: [0.3, 0.9]}
STARTS: dict[str, State] = {
    "base": {NECK: "none", POOLING: "max", IDS: 4},
    "other": {NECK: "none", POOLING: "avg", IDS: 3, MARGIN: 0.9},
}
STUDY: dict[str, Any] = {
    "axes": {
        **{path: {"choice": LEVELS[path]} for path in (NECK, POOLING, IDS)},
        MARGIN: {"uniform": [0.1, 2.0], "levels": LEVELS[MARGIN], "when": {POOLING: "avg"}},
    },
    "arms": {"other": {POOLING: "avg", IDS: 3, MARGIN: 0.9}},
    "keep": "none",
}


def study(around: str = "base", **over: Any) -> dict[str, Any]:
    """Return a study that goes through every combination, then a path whose candidates the search has not measured."""
    path = {"kind": "ablate", "design": "path", "around": around, "seeds": 2, "set": {"training.images": 24}, **over}
    return {**STUDY, "phases": [{"kind": "search", "sampler": "grid", "trials": 99, "pruner": "none"}, path]}


def state_of(config: TrialConfig) -> State:
    found: State = {NECK: config.model.neck, POOLING: config.model.pooling, IDS: config.training.batch.ids}
    return found | ({MARGIN: config.losses["triplet"].margin} if found[POOLING] == "avg" else {})


class Table:
    """A random value of every state; the search and the path (fewer images) have values of their own."""

    def __init__(self, seed: int, *failing: Mapping[str, Any]) -> None:
        self._seed = seed
        self._failing = failing

    def of(self, state: State, images: int = 24) -> float | None:
        if any(item.items() <= state.items() for item in self._failing) and images == 24:
            return None
        return random.Random(f"{self._seed} {sorted(state.items())} {images}").random()

    def __call__(self, config: TrialConfig) -> float | None:
        if config.data.holdout == 0:
            return 0.5
        return self.of(state_of(config), config.training.images)


def cells() -> Iterator[State]:
    for neck in LEVELS[NECK]:
        for ids in LEVELS[IDS]:
            yield {NECK: neck, POOLING: "max", IDS: ids}
            yield from ({NECK: neck, POOLING: "avg", IDS: ids, MARGIN: margin} for margin in LEVELS[MARGIN])


def greedy(table: Table, start: State) -> list[tuple[str, State]]:
    """Return the steps of the greedy path to the best of the search, by going through everything."""
    end = max(cells(), key=lambda cell: table.of(cell, 36))
    here, steps = start, []
    while here != end:
        found = []
        for axis in LEVELS:
            if axis in here and axis in end and here[axis] != end[axis]:
                there = {**here, axis: end[axis]}
                if axis == POOLING:
                    there = {path: there[path] for path in (NECK, POOLING, IDS)}
                    there |= {MARGIN: end[MARGIN]} if there[POOLING] == "avg" else {}
                value = table.of(there)
                found += [(value, axis, there)] if value is not None else []
        _, axis, here = max(found, key=lambda item: item[0])
        steps.append((axis, here))
    return steps


def asks(storage: Path, kind: type[Kind]) -> list[Kind]:
    return [ask for ask in StudyStore(storage, "small").log.history().asks if isinstance(ask, kind)]


def chosen_rounds(storage: Path) -> list[int]:
    logged = StudyStore(storage, "small").log.read()
    return [item.event.round for item in logged if isinstance(item.event, StepChosen)]


def labels(state: State) -> dict[str, str]:
    return {path: str(value) for path, value in state.items()}


def arms_of(storage: Path) -> list[tuple[str, dict[str, str]]]:
    return [(ask.arm, ask.settings) for ask in asks(storage, ArmAsked) if ask.seed == 1]


def named(start: State, steps: list[tuple[str, State]]) -> list[tuple[str, dict[str, str]]]:
    found = [(f"step {n}: {axis}={here[axis]}", labels(here)) for n, (axis, here) in enumerate(steps, start=1)]
    return [("baseline", labels(start)), *found]


@pytest.mark.parametrize("around", ["base", "other"])
@pytest.mark.parametrize("seed", range(6))
def test_the_path_is_the_greedy_one(table_driver: MakeDriver, tmp_path: Path, around: str, seed: int) -> None:
    table = Table(seed)
    made = table_driver(table, **study(around))
    made.run()
    steps = greedy(table, STARTS[around])
    assert arms_of(tmp_path / "runs") == named(STARTS[around], steps)
    candidates = [job for job in made.started if job.ask.phase == "ablate" and job.ask.evaluate == "val"]
    answers = [job for job in made.started if job.ask.evaluate == "test"]
    assert {job.ask.seed for job in candidates} <= {10_000}
    assert all(job.config.data.holdout == 0.25 for job in candidates)
    assert [job.ask.seed for job in answers] == [1] * (len(steps) + 1) + [2] * (len(steps) + 1)
    assert all(job.config.data.holdout == 0 for job in answers)
    assert len(candidates) <= len(LEVELS) * (len(LEVELS) + 1) // 2
    assert {ask.key for ask in asks(tmp_path / "runs", CandidateAsked)} == {job.ask.key for job in candidates}


def test_the_tables_lead_along_the_condition_both_ways() -> None:
    ends = [greedy(Table(seed), STARTS[around])[-1][1] for around in STARTS for seed in range(6)]
    assert len({len(greedy(Table(seed), STARTS[around])) for around in STARTS for seed in range(6)}) > 1
    assert {end[POOLING] for end in ends[6:]} == {"max", "avg"}, "from `other`, margins vanish and stay"
    assert "avg" in {end[POOLING] for end in ends[:6]}, "from the base, margins come"


@pytest.mark.parametrize("failing", [None, {NECK: "bnneck", POOLING: "max"}])
def test_a_driver_that_dies_anywhere_finds_the_same_path(
    table_driver: MakeDriver, tmp_path: Path, failing: dict[str, Any] | None
) -> None:
    seed = next(seed for seed in range(99) if len(greedy(Table(seed), STARTS["base"])) == 3)
    table = Table(seed, *([failing] if failing else []))
    whole = table_driver(table, storage="whole", **study(seeds=1))
    whole.run()
    assert any(table(job.config) is None for job in whole.started) == bool(failing)
    expected = arms_of(tmp_path / "whole")
    assert expected == named(STARTS["base"], greedy(table, STARTS["base"]))
    searched = sum(job.ask.phase == "search" for job in whole.started)
    for die_at in range(searched, len(whole.started)):
        storage = f"runs-{die_at}"
        first = table_driver(table, storage=storage, **study(seeds=1))
        with pytest.raises(KeyboardInterrupt):
            first.run(die_at)
        second = table_driver(table, storage=storage, **study(seeds=1))
        second.run()
        assert arms_of(tmp_path / storage)[-len(expected) :] == expected
        assert chosen_rounds(tmp_path / storage) == list(range(1, len(expected))), "each choice is made once"
        again = [job.trial for job in second.started if job.trial in {item.trial for item in first.started}]
        assert all(table(job.config) is None for job in second.started if job.trial in again), "none twice"
    finished = table_driver(table, storage="whole", **study(seeds=1))
    assert finished.phases.done
    assert finished.started == []
    assert arms_of(tmp_path / "whole") == expected * 2


def test_a_choice_stands_although_a_candidate_that_failed_would_do_better_now(
    table_driver: MakeDriver, tmp_path: Path
) -> None:
    seed = next(seed for seed in range(99) if len(greedy(Table(seed), STARTS["base"])) == 3)
    (axis, first), *_ = greedy(Table(seed), STARTS["base"])
    table = Table(seed, {path: first[path] for path in (NECK, POOLING, IDS)})
    searched = sum(1 for _ in cells())
    with pytest.raises(KeyboardInterrupt):
        table_driver(table, **study()).run(searched + 4)
    second = table_driver(Table(seed), **study())
    second.run()
    assert not arms_of(tmp_path / "runs")[1][0].startswith(f"step 1: {axis}=")
    assert not [job for job in second.started if job.ask.label.startswith("step 1?")], "nor is it trained again"


def test_what_the_search_measured_is_not_trained_again(table_driver: MakeDriver) -> None:
    made = table_driver(Table(1), **study(set={}))
    summary = made.run().summary()
    assert [job.ask.label for job in made.started if job.ask.evaluate == "val" and job.ask.phase == "ablate"] == []
    assert summary.finished == summary.reused + len(made.started)
    assert summary.reused > 0


def test_a_path_without_a_candidate_that_finished_says_so(table_driver: MakeDriver) -> None:
    table = Table(0, *(dict(cell) for cell in cells()))
    with pytest.raises(ReidSearchError, match=r"the path 'ablate' has no step 1: every candidate failed \(model.neck="):
        table_driver(table, **study()).run()


def test_a_path_after_a_search_that_found_nothing_says_so(table_driver: MakeDriver) -> None:
    with pytest.raises(ReidSearchError, match="so 'ablate' has no best to start from"):
        table_driver(lambda config: None, **study()).run()


def test_axes_that_are_not_of_the_phase_stay(table_driver: MakeDriver, tmp_path: Path) -> None:
    seed = next(seed for seed in range(99) if len(greedy(Table(seed), STARTS["base"])) == 3)
    table_driver(Table(seed), **study(axes=[NECK, IDS])).run()
    baseline, *steps = arms_of(tmp_path / "runs")
    assert {path for _, settings in steps for path in settings} <= {NECK, IDS}
    assert baseline == ("baseline", {NECK: "none", IDS: "4"})
    assert len(steps) <= 2


def test_the_table_of_arms_says_what_each_step_changed(table_driver: MakeDriver, tmp_path: Path) -> None:
    seed = next(
        seed for seed in range(99)
        if len(found := greedy(Table(seed), STARTS["base"])) == 3 and found[-1][0] != POOLING and MARGIN in found[-1][1]
    )  # fmt: skip
    table_driver(Table(seed), **study()).run()
    rows = load_arms(tmp_path / "runs" / "small").drop_duplicates("arm").set_index("arm")
    here, expected = STARTS["base"], {"baseline": ("", "")}
    for number, (axis, there) in enumerate(greedy(Table(seed), here), start=1):
        changed = {path: str(value) for path, value in there.items() if here.get(path) != value}
        expected[f"step {number}: {axis}={there[axis]}"] = (" × ".join(changed), " × ".join(changed.values()))
        here = there
    assert {arm: (row["axis"], row["level"]) for arm, row in rows.iterrows()} == expected
    assert set(rows["evaluate"]) == {"test"}
