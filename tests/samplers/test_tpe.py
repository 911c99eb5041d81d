"""When TPE begins to model, with one worker and with many."""

import pytest

RANGES = {name: {"uniform": [0.0, 1.0]} for name in "abc"}


def quadratic(settings):
    return -sum((level.value - 0.3) ** 2 for level in settings.values())


def modelled(make_proposer, make_search, at_once, settings):
    """Return the numbers of the proposals that are not those of a random search."""
    found, drawn = (
        make_search(make_proposer(sampler, RANGES), at_once, quadratic, fails_every=99).ask(40)
        for sampler in ({"kind": "tpe", **settings}, "random")
    )
    return [number for number in range(40) if found[number] != drawn[number]]


@pytest.mark.parametrize(
    ("at_once", "settings", "first"),
    [
        (1, {}, 10),
        (16, {}, 25),
        (1, {"startup": 5}, 5),
        (16, {"startup": 5}, 20),
        (16, {"workers": 16}, 20),
        (3, {"workers": 3}, 10),
        (1, {"startup": 1}, 1),
    ],
)
def test_proposals_are_random_until_enough_trials_have_finished(make_proposer, make_search, at_once, settings, first):
    assert modelled(make_proposer, make_search, at_once, settings) == list(range(first, 40))
