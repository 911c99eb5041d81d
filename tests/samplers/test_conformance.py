"""What every sampler promises. A new one passes these tests as it is, or adds settings to `SETTINGS`."""

import math

import pytest

from reid_search.study import SAMPLERS

SETTINGS = {
    "tpe": [{"startup": 4}, {"startup": 6, "workers": 4}],
    "cma_es": [{"population": 4}, {"startup": 5, "population": 6}],
}
CASES = [
    pytest.param({"kind": kind, **settings}, id=f"{kind}-{index}")
    for kind in SAMPLERS.names()
    for index, settings in enumerate(SETTINGS.get(kind, [{}]))
]
every_sampler = pytest.mark.parametrize("sampler", CASES)


@every_sampler
def test_the_same_history_has_the_same_proposals(sampler, make_proposer, make_search):
    first, again = (make_search(make_proposer(sampler), workers=4).ask(30) for _ in range(2))
    assert first == again


@every_sampler
def test_another_seed_has_other_proposals(sampler, make_proposer, make_search):
    first, other = (make_search(make_proposer(sampler, seed=seed), workers=4).ask(30) for seed in (3, 4))
    assert first != other


@every_sampler
@pytest.mark.parametrize("workers", [1, 5])
def test_a_search_that_is_made_again_from_its_log_proposes_the_same(sampler, workers, make_proposer, make_search):
    for died_at in (1, 7, 12, 23, 31):
        search = make_search(make_proposer(sampler), workers)
        search.ask(died_at)
        search.end_one()
        after = search.replayed(make_proposer(sampler))
        assert after.ask(died_at) == search.proposer.ask(died_at)


@every_sampler
def test_every_proposal_lies_in_the_space(sampler, make_proposer, make_search):
    seen = set()
    for settings in make_search(make_proposer(sampler), workers=3).ask(40):
        value = {path: level.value for path, level in settings.items()}
        seen.add(value["neck"])
        assert value["neck"] in ("none", "bn", "ln")
        assert ("margin" in value) == (value["neck"] != "none")
        assert ("affine" in value) == (value["neck"] == "ln")
        assert 1e-4 <= value["lr"] <= 1e-1
        assert isinstance(value["dim"], int)
        assert 8 <= value["dim"] <= 64
        assert 0.1 <= value.get("margin", 1.0) <= 2.0
        assert value.get("affine") in (True, False, None)
    assert seen == {"none", "bn", "ln"}


@every_sampler
def test_a_value_that_is_no_number_counts_as_a_failed_trial(sampler, make_proposer, make_search):
    searches = [make_search(make_proposer(sampler), workers=2) for _ in range(2)]
    for search in searches:
        search.ask(20)
    nan, failed = searches
    nan.proposer.tell(19, math.nan)
    failed.proposer.tell(19, None)
    assert nan.proposer.ask(20) == failed.proposer.ask(20)


@every_sampler
def test_its_name_alone_is_enough(sampler, make_proposer):
    assert make_proposer(sampler["kind"]).ask(0)
