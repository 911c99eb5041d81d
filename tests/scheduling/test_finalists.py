"""The best of a search trained again on fresh seeds: which it is, what it asks for, and how it goes on."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import analysis
from analysis import load_search
from reid_search.errors import ReidSearchError
from reid_search.records import (
    CodeVersion,
    FinalistAsked,
    Proposal,
    Record,
    Status,
    StudyStore,
    other_code,
    read_state,
    read_trial,
)
from reid_search.scheduling.jobs import Job
from reid_search.study import load_study

MakeDriver = Callable[..., Any]

MARGIN = "losses.triplet.margin"
MARGINS = [0.3, 0.6, 0.9, 1.2, 1.5]
FRESH = (1_010_000, 2_010_000, 3_010_000)


def search(**over: Any) -> dict[str, Any]:
    phase = {"kind": "search", "sampler": "grid", "trials": 5, "pruner": "none", "finalists": 3, "seeds": 3}
    return {"axes": {MARGIN: {"choice": MARGINS}}, "phases": [{**phase, **over}]}


class Drawn:
    """Runs a study on values that depend on the seed: `lucky` margins look good on the search's seed alone."""

    def __init__(self, make: MakeDriver, fails: Callable[[float, int], bool] = lambda *_: False, **over: Any) -> None:
        self.made = make(lambda _: 0.0, **over)
        self._fails = fails
        self.started: list[tuple[float, int]] = []

    def run(self, die_at: int | None = None) -> Any:
        run, store = self.made.phases, self.made._store
        while not run.done:
            job = run.next_job("trial")
            if job is None:
                continue
            if len(self.started) == die_at:
                raise KeyboardInterrupt
            margin, seed = job.config.losses["triplet"].margin, job.ask.seed
            self.started.append((margin, seed))
            if job.keep:
                store.trial(*job.trial).checkpoints.mkdir(parents=True, exist_ok=True)
            value = None if self._fails(margin, seed) else self.value(margin, seed)
            self.made._value = lambda _, value=value: value
            store.trial(*job.trial).write_record(self.made._record(job))
            run.ended("trial")
        return run

    @staticmethod
    def value(margin: float, seed: int) -> float:
        """0.9 is truly best; 1.5 had luck with the search's seed, and 0.3 never had any."""
        luck = {10_000: {1.5: 0.5}, 2_010_000: {0.9: -0.03, 1.2: 0.03}}.get(seed, {}).get(margin, 0.0)
        return {0.3: 0.1, 0.6: 0.2, 0.9: 0.5, 1.2: 0.45, 1.5: 0.3}[margin] + luck


def asks(storage: Path, kind: type = FinalistAsked) -> list[Any]:
    return [ask for ask in StudyStore(storage, "small").log.history().asks if isinstance(ask, kind)]


def test_the_best_is_the_finalist_with_the_best_mean_over_its_fresh_seeds_alone(
    table_driver: MakeDriver, tmp_path: Path
) -> None:
    drawn = Drawn(table_driver, **search())
    best = drawn.run().summary().best
    assert [start[1] for start in drawn.started] == [10_000] * 5 + [seed for seed in FRESH for _ in range(3)]
    assert {margin for margin, seed in drawn.started if seed in FRESH} == {0.9, 1.2, 1.5}
    assert (best.settings[MARGIN].value, best.seeds) == (0.9, 3)
    assert best.value == pytest.approx((0.5 + 0.47 + 0.5) / 3), "0.8, which 1.5 reached with luck, counts for nothing"
    state = read_state(StudyStore(tmp_path / "runs", "small"))
    found = state.best("search")
    assert found is not None
    assert (found.number, list(state.fresh_values(found))) == (best.number, pytest.approx([0.5, 0.47, 0.5]))
    assert {ask.evaluate for ask in state.finalists["search"]} == {"val"}
    configs = {json.dumps(trial.config["data"]) for trial in state.trials.values()}
    assert len(configs) == 1, "all see one validation split"


def test_fresh_seeds_are_nobody_else_s(write_study: Callable[..., Path]) -> None:
    used, study = set(range(1, 10_000)), load_study(write_study(**search(seeds=5)))
    for seed in range(300):
        other = replace(study, config=study.config.model_copy(update={"seed": seed}))
        new = {other.search_seed, *other.fresh_seeds(study.config.phases[0])}  # type: ignore[arg-type]
        assert len(new) == 6
        assert not new & used
        used |= new


def test_of_equal_means_the_earlier_is_best_and_a_failed_seed_counts_against_its_finalist(
    table_driver: MakeDriver, tmp_path: Path
) -> None:
    over = search(finalists=2)
    fails = Drawn(table_driver, fails=lambda margin, seed: (margin, seed) == (0.9, FRESH[1]), **over, storage="fails")
    assert fails.run().summary().best.settings[MARGIN].value == 1.5, "0.9 finished two of three seeds"
    drawn = Drawn(table_driver, **over, storage="equal")
    drawn.value = lambda margin, seed: 0.4 if seed in FRESH else margin / 3  # type: ignore[method-assign]
    best = drawn.run().summary().best
    numbers = {ask.number for ask in asks(tmp_path / "equal")}
    assert len(numbers) == 2
    assert (best.number, best.value, best.seeds) == (min(numbers), pytest.approx(0.4), 3)


def test_finalists_that_all_fail_leave_the_search_s_own_best(table_driver: MakeDriver) -> None:
    best = Drawn(table_driver, fails=lambda _, seed: seed in FRESH, **search()).run().summary().best
    assert (best.settings[MARGIN].value, best.value, best.seeds) == (1.5, 0.8, 0)


@pytest.mark.parametrize("die_at", [3, 5, 6, 11, 13])
def test_an_interrupted_search_asks_and_finds_what_a_whole_one_does(
    table_driver: MakeDriver, tmp_path: Path, die_at: int
) -> None:
    over = search(sampler="tpe")
    whole = Drawn(table_driver, **over, storage="whole").run().summary().best
    first = Drawn(table_driver, **over)
    with pytest.raises(KeyboardInterrupt):
        first.run(die_at)
    again = Drawn(table_driver, **over)
    assert again.run().summary().best == whole
    assert len(first.started + again.started) == len({*first.started, *again.started}) == 14
    plain = [{(ask.trial, ask.label) for ask in asks(tmp_path / name)} for name in ("runs", "whole")]
    assert plain[0] == plain[1]
    third = Drawn(table_driver, **over)
    assert third.made.phases.done
    assert third.made.phases.summary().reused == 14


def test_more_finalists_seeds_and_trials_extend_a_search(table_driver: MakeDriver) -> None:
    Drawn(table_driver, **search(finalists=1, seeds=2, trials=4)).run()
    for over, new in (({"trials": 4, "seeds": 2, "finalists": 2}, 2), ({"trials": 4, "finalists": 2}, 2)):
        more = Drawn(table_driver, **search(**over))
        more.run()
        assert len(more.started) == new
        assert {seed for _, seed in more.started} <= set(FRESH)
    more = Drawn(table_driver, **search())
    best = more.run().summary().best
    assert sorted(seed for _, seed in more.started)[0] == 10_000, "the fifth proposal"
    assert (best.settings[MARGIN].value, best.seeds) == (0.9, 3)


def test_without_finalists_again_the_search_s_own_value_counts(table_driver: MakeDriver, tmp_path: Path) -> None:
    Drawn(table_driver, **search()).run()
    over = search()
    del over["phases"][0]["finalists"], over["phases"][0]["seeds"]
    again = Drawn(table_driver, **over)
    best = again.run().summary().best
    assert again.started == []
    assert (best.settings[MARGIN].value, best.value, best.seeds) == (1.5, 0.8, 0)
    state = read_state(StudyStore(tmp_path / "runs", "small"))
    assert state.finalists == {"search": []}
    assert state.best("search").number == best.number  # type: ignore[union-attr]


def test_finalists_are_of_different_trainings(table_driver: MakeDriver, tmp_path: Path) -> None:
    """Two readouts of each training: the better one of the three best trainings is trained again."""
    axes = {MARGIN: {"choice": MARGINS}, "readouts.default.normalize": {"choice": ["none", "all"]}}
    drawn = Drawn(table_driver, **search(trials=10) | {"axes": axes})
    drawn.run()
    assert len(drawn.started) == 5 + 9
    assert (
        len({ask.key for ask in asks(tmp_path / "runs")}) == len({ask.number for ask in asks(tmp_path / "runs")}) == 3
    )


CODE = CodeVersion(numerics=1, torch="2.15.0", source="0123abcd", components={"models.mgn": "aaaaaaaa"})
AROUND = {"kind": "ablate", "around": "best", "seeds": 1}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"torch": "2.14.0"}, "torch: finalist #"),
        ({"numerics": 2}, "numerics: finalist #"),
        ({"source": "4567abcd"}, "source: finalist #"),
        ({"components": {"models.mgn": "bbbbbbbb"}}, "models.mgn: finalist #"),
        (None, "code: finalist #"),
        ({"components": {"losses.circle": "bbbbbbbb"}}, ""),
    ],
)
def test_finalists_of_different_code_are_not_compared_and_say_what_differs(
    table_driver: MakeDriver, tmp_path: Path, changed: dict[str, Any] | None, told: str
) -> None:
    """Other code measured the last four of the nine trainings of finalists."""

    def run(storage: str, *others: dict[str, Any]) -> Any:
        drawn = Drawn(
            table_driver, **{**search(), "phases": [*search()["phases"], *others]}, keep="best", storage=storage
        )
        plain, other = drawn.made._record, CODE.model_copy(update=changed) if changed is not None else None
        drawn.made._record = lambda job: coded(plain(job), job, other if len(drawn.started) > 10 else CODE)
        return drawn

    drawn = run("alone")
    best = drawn.run().summary().best
    store = StudyStore(tmp_path / "alone", "small")
    state = read_state(store)
    assert state.refusal("search").startswith(told)
    kept = [folder for folder in store.trials() if folder.checkpoints.exists()]
    if not told:
        assert (best.settings[MARGIN].value, state.refusal("search"), len(kept)) == (0.9, "", 1)
        return
    assert (best, state.best("search"), len(kept)) == (None, None, 3)
    (mixed,) = other_code(drawn.made.phases._study.plan(), state).finalists
    assert (mixed.asked, len(mixed.trials)) == (9, 9), "of neither code that is installed here"
    images = sum(state.trials[name].images_seen for name in mixed.trials)
    assert mixed.line.endswith(f"the search gets no best; measuring them again: {images} images, 0.0025 trial-hours")
    assert f"There is no best: finalists of different code are not compared. {told}" in written(store)
    with pytest.raises(ReidSearchError, match=rf"not compared: {told}\d .*`run --remeasure`.* 'ablate' needs a best"):
        run("needed", AROUND).run()


def coded(record: Record, job: Job, code: CodeVersion | None) -> Record:
    """Return a record with its code, and so with the data that its key was made from."""
    return record.model_copy(update={"code": code, "data_fingerprint": job.data_fingerprint})


def written(store: StudyStore) -> str:
    page = analysis.write_report(store.path)
    return (page.parent / "report.md").read_text().replace("\\", "")


def test_a_finalist_that_waits_is_foreseen_to_be_of_other_code(table_driver: MakeDriver, tmp_path: Path) -> None:
    drawn = Drawn(table_driver, **search())
    plain = drawn.made._record
    drawn.made._record = lambda job: coded(plain(job), job, CODE)
    with pytest.raises(KeyboardInterrupt):
        drawn.run(die_at=7)
    store = StudyStore(tmp_path / "runs", "small")
    (mixed,) = other_code(drawn.made.phases._study.plan(), read_state(store)).finalists
    assert (mixed.phase, len(mixed.trials), mixed.asked) == ("search", 2, 9)


@pytest.mark.parametrize(("keep", "kept"), [("all", 14), ("best", 1), ("none", 0)])
def test_weights_are_kept_as_the_study_says(table_driver: MakeDriver, tmp_path: Path, keep: str, kept: int) -> None:
    best = Drawn(table_driver, **search(), keep=keep).run().summary().best
    left = [folder for folder in StudyStore(tmp_path / "runs", "small").trials() if folder.checkpoints.exists()]
    assert len(left) == kept
    if keep == "best":
        own = next(ask for ask in asks(tmp_path / "runs", Proposal) if ask.number == best.number)
        assert left[0].id == own.trial


SYSTEMS = {
    "axes": {
        "system": {"variants": {"plain": {"losses": {"triplet": {"on": []}}}, "coarse": {}}},
        "training.optimizer.lr": {"log_uniform": [1e-4, 1e-1]},
    },
    "phases": [
        {"kind": "search", "trials": 3, "each": "system", "pruner": {"reduction": 2}, "finalists": 2, "seeds": 1},
        {"kind": "ablate", "around": "best", "seeds": 1, "axes": ["system"]},
    ],
}  # fmt: skip


@pytest.mark.slow  # trains twelve networks
def test_each_share_has_finalists_of_its_own_and_no_pruner_stops_them(driver: MakeDriver, tmp_path: Path) -> None:
    """Two at once, interrupted among the finalists; each system is ablated with the settings that its own chose."""
    driver(**SYSTEMS).run(die_after=20)
    made = driver(**SYSTEMS)
    made.run()
    store = StudyStore(tmp_path / "runs", "small")
    again = {(ask.number, ask.seed): ask for ask in asks(tmp_path / "runs")}
    for ask in again.values():
        trial = read_trial(store.trial(*ask.trial))
        assert (trial.status, trial.images_seen) == (Status.FINISHED, 36)
    table, state = load_search(store.path), read_state(store)
    for system, rows in table.groupby("system"):
        numbers = {number for number, _ in again if number in set(rows["number"])}
        assert numbers == set(rows.nlargest(2, "value", keep="first")["number"])
        means = {number: state.value(again[number, FRESH[0]]) for number in numbers}
        assert dict(rows.dropna(subset="fresh").set_index("number")["fresh"]) == pytest.approx(means)
        best = rows.set_index("number").loc[max(means, key=lambda number: (means[number], -number))]
        (arm,) = {
            ask.tuned["training.optimizer.lr"] for ask in state.ablations["ablate"] if ask.settings["system"] == system
        }
        assert arm == best["training.optimizer.lr"]
    assert made.phases.done


def test_the_plan_counts_and_prices_finalists(write_study: Callable[..., Path]) -> None:
    planned = load_study(write_study(**SYSTEMS)).plan().phases[0]
    assert (planned.count, planned.finalists, planned.images) == (2 * 3 + 2 * 2, 4, 10 * 36)
    assert planned.about.endswith("then the best 2 again on 1 fresh seed")
    small = load_study(write_study(**search(trials=9, finalists=8))).plan().phases[0]
    assert (small.count, small.finalists) == (5 + 5 * 3, 15), "there are five settings"
