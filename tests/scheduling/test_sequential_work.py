"""Ablations that add seeds until their claims are decided, over a run whose trials have values from a table."""

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import analysis
from analysis.answers.claims import answer_claims
from analysis.reading.arms import arms_table
from reid_search.records import StudyStore, TrialId, read_state
from reid_search.study import TrialConfig

MakeDriver = Callable[..., Any]

WIDTH = "model.embedding_dim"
AXES = {WIDTH: {"choice": [16, 32, 64]}}
CLAIMS = {
    "32 over 16": {"better": {WIDTH: 32}, "than": {WIDTH: 16}},
    "64 over 32": {"better": {WIDTH: 64}, "than": {WIDTH: 32}},
}
PHASES = [{"kind": "ablate", "design": "claims", "seeds": {"from": 5, "to": 16, "until": "decided"}}]
LOOKS = (7, 10, 14, 16)  # with fewer than 7 seeds none of two claims can be decided at a first look


def value(config: TrialConfig) -> float:
    """Return what a width is worth: 32 far more than 16, and 64 a little more than 32."""
    return {16: 0.3, 32: 0.4, 64: 0.412}[config.model.embedding_dim]


def noise(trial: TrialId) -> float:
    return (int(hashlib.sha256(str(trial).encode()).hexdigest()[:6], 16) / 16**6 - 0.5) / 25


def drive(table_driver: MakeDriver, **over: Any) -> Any:
    return table_driver(value, noise=noise, axes=AXES, phases=PHASES, claims=CLAIMS, **over)


def seeds_by_width(driver: Any) -> Counter[int]:
    return Counter(job.config.model.embedding_dim for job in driver.started)


@pytest.fixture
def store(tmp_path: Path) -> StudyStore:
    return StudyStore(tmp_path / "runs", "small")


def test_only_the_arms_of_undecided_claims_get_more_seeds(table_driver: MakeDriver, store: StudyStore) -> None:
    driver = drive(table_driver)
    driver.run()
    seeds = seeds_by_width(driver)
    assert seeds[16] == LOOKS[0], "its only claim was decided at the first look"
    assert seeds[32] == seeds[64]
    assert seeds[64] in LOOKS[1:]
    state = read_state(store)
    decided, other = answer_claims(state, arms_table(state))
    assert (decided.verdict, decided.effect.n, decided.looks) == ("supported", 7, 1)
    assert other.effect.n == seeds[64]
    assert other.past.seeds_at_looks == [look for look in LOOKS if look <= seeds[64]]
    assert driver.watcher.notes[0] == "ablate, 7 seeds: 1 of 2 claims decided, 1 to go on"
    page = analysis.write_report(store.path).parent / "report.md"
    assert "as planned, with 7" in page.read_text()


@pytest.mark.parametrize("die_at", [3, 24, 25, 29])
def test_a_run_that_is_interrupted_ends_as_it_would_have(table_driver: MakeDriver, tmp_path: Path, die_at: int) -> None:
    whole = drive(table_driver, storage="whole")
    whole.run()
    first = drive(table_driver)
    with pytest.raises(KeyboardInterrupt):
        first.run(die_at)
    second = drive(table_driver)
    second.run()
    assert [job.trial for job in (*first.started, *second.started)] == [job.trial for job in whole.started]
    found = []
    for storage in ("whole", "runs"):
        state = read_state(StudyStore(tmp_path / storage, "small"))
        answers = answer_claims(state, arms_table(state))
        found.append([(item.verdict, item.level, item.effect, item.past.seeds_at_looks) for item in answers])
    assert found[0] == found[1]


def test_a_claim_that_more_seeds_could_hardly_decide_gets_none(table_driver: MakeDriver, store: StudyStore) -> None:
    """Two arms without a difference and with much noise: at 6 seeds the trend speaks for no verdict at 16."""

    def loud(trial: TrialId) -> float:
        return 4 * noise(trial) * (-1) ** trial.seed

    claims = {"64 over 32": CLAIMS["64 over 32"]}
    driver = table_driver(lambda config: 0.4, noise=loud, axes=AXES, phases=PHASES, claims=claims)
    driver.run()
    state = read_state(store)
    [answer] = answer_claims(state, arms_table(state))
    assert answer.verdict == "undecided"
    assert driver.watcher.notes[-1].endswith("1 beyond what more seeds could decide")
    assert max(seeds_by_width(driver).values()) < LOOKS[-1]
    markdown = (analysis.write_report(store.path).parent / "report.md").read_text()
    assert "It got no more seeds: going on like this, they would decide it with probability" in markdown


def test_every_seed_of_failed_arms_is_a_look_without_a_verdict(table_driver: MakeDriver, store: StudyStore) -> None:
    driver = table_driver(
        lambda config: None if config.model.embedding_dim == 64 else 0.4, axes=AXES, phases=PHASES,
        claims={"64 over 32": CLAIMS["64 over 32"]},
    )  # fmt: skip
    driver.run()
    state = read_state(store)
    assert answer_claims(state, arms_table(state))[0].verdict == "no verdict"
    assert set(seeds_by_width(driver).values()) == {6}, "nothing speaks for going on"
