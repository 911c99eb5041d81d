"""What a report says of the edges and of the first rung of a search."""

import math

import pytest

from analysis.answers.edges import Edge
from analysis.answers.prices import Price
from analysis.reporting.describe_edges import describe_edges
from analysis.reporting.describe_rungs import describe_rungs, rungs_to_set
from analysis.statistics.rungs import Agreement
from reid_search.records import read_state

LR = {"training.lr": ["0.1", "0.2", "0.3"]}
RANGE = {"log_uniform": [0.001, 0.1]}
NAN = math.nan


def edge(probability, side="largest", axis="training.lr"):
    return Edge(None, axis, "0.3", side, 3, 24, probability)


def test_an_edge_has_its_probability_and_what_a_wider_search_costs(search_of):
    price = Price(28, 115_200, 720.0, anew=True)
    given = {"described": {"training.lr": RANGE}, "prices": {"training.lr": price}}
    [found] = describe_edges(search_of(LR, [0.1, 0.2, 0.3], edges=(edge(0.931),), **given))
    assert found == (
        "The optimum lies at the upper end of training.lr () with probability 0.93 (24 trials; best so far 0.3), so a "
        "better one may lie beyond. A search with the range up to 1 takes 28 trials and 115 k images, about 12 min "
        "00 s, without early stopping: its proposals are drawn anew."
    )
    [found] = describe_edges(search_of(LR, [0.1, 0.2, 0.3], edges=(edge(1.0, "smallest"),), **given))
    assert "lower end" in found
    assert "over 0.99" in found
    assert "the range down to 0.0001 takes" in found


def test_a_choice_gets_one_more_number_and_an_unknown_time_is_not_said(search_of):
    given = {
        "described": {"training.lr": {"choice": [1, 2, 3]}},
        "prices": {"training.lr": Price(4, 900, None, anew=False)},
    }
    [found] = describe_edges(search_of(LR, [0.1, 0.2, 0.3], edges=(edge(0.8),), **given))
    assert found.endswith("A search with one more number there takes 4 trials and 900 images, without early stopping.")


def test_few_trials_say_so(search_of):
    [found] = describe_edges(
        search_of(LR, [0.1, 0.2, 0.3], edges=(Edge("MGN", "training.lr", "0.3", "largest", 3, 3, None),))
    )
    assert found == (
        "MGN: the best training.lr, 0.3, is the largest of the 3 values tried; 3 trials cannot tell whether that is "
        "chance, 8 might."
    )


@pytest.mark.parametrize(
    ("rho", "low", "high", "words"),
    [
        (0.93, 0.8, 0.98, "The order after epoch 2, where the first trials were stopped, agreed with that of the end: "
         "rank correlation .93 (95 % interval .80 to .98), from the 6 of 9 trials that ran to the end."),
        (0.2, -0.3, 0.6, "was not yet that of the end: rank correlation .20 (95 % interval −.30 to .60)"),
        (0.2, -0.3, 0.9, "It is not certain that the order after epoch 2"),
        (0.9, 0.3, 0.98, "It is not certain that the order after epoch 2"),
        (NAN, NAN, NAN, "cannot be told: 6 trials ran to the end, and it takes 5 that differ."),
    ],
)  # fmt: skip
def test_the_first_rung_agrees_or_has_a_caveat(search_of, rho, low, high, words):
    first = Agreement(2, 9, 6, rho, low, high)
    others = (
        Agreement(1, 9, 6, 0.99, 0.9, 1.0),
        first,
        Agreement(3, 6, 6, 0.85, 0.5, 0.9),
        Agreement(4, 6, 6, 0.91, 0.7, 1.0),
        Agreement(5, 6, 6, 0.95, 0.81, 1.0),
    )
    search = search_of(LR, [0.1, NAN, 0.3], {1: 0.1}, agreements=others, curves={1: {1: 0.1, 2: 0.1}})
    [found] = describe_rungs(search)
    assert words in found
    assert ("let the pruner begin there (min_epochs: 5)" in found) == (rho < 0.8)
    [found] = describe_rungs(search_of(LR, [0.1, NAN, 0.3], {1: 0.1}, agreements=(first,), curves=search.curves))
    assert ("a search without a pruner compares ends" in found) == (rho < 0.8)


def test_a_search_that_stopped_nothing_says_where_a_pruner_may_begin(search_of):
    order = (Agreement(1, 30, 30, 0.5, 0.2, 0.7), Agreement(2, 30, 30, 0.93, 0.85, 0.97))
    [found] = describe_rungs(search_of(LR, [0.1, 0.2, 0.3], agreements=order))
    assert found == (
        "No trial was stopped. From epoch 2 on the order of the trials is that of their ends (rank correlation .93, "
        "95 % interval .85 to .97, from the 30 of 30 trials that ran to the end): a pruner may begin there "
        "(min_epochs: 2)."
    )


def test_a_search_that_stopped_nothing_has_no_first_rung(search_of):
    assert describe_rungs(search_of(LR, [0.1, 0.2, 0.3], agreements=(Agreement(1, 3, 3, 0.1, 0.0, 0.2),))) == []


def test_a_plan_is_told_where_the_pruner_of_a_search_that_ran_should_begin(empty, result_of):
    """After the first of four epochs the order is another; from the second on it is that of the end."""
    empty.begin()
    for number in range(20):
        end, first = 0.1 + number / 40, 0.1 + (7 * number % 20) / 40
        key = empty.ask_proposal(number, margin=f"{0.3 + number / 20:.2f}")
        readouts = {"default": result_of("val", end, end)}
        empty.trial(key, 10_000, holdout=0.2, epochs=(first, end, end, end), readouts=readouts)
    state = read_state(empty.store)
    assert list(rungs_to_set(state, {"search": 2, "another": 1})) == []
    assert list(rungs_to_set(state, {"search": 1})) == [
        "search: its pruner begins at epoch 1. From epoch 2 on the order of the trials is that of their ends (rank "
        "correlation 1.00, 95 % interval 1.00 to 1.00, from the 20 of 20 trials that ran to the end): set min_epochs: 2"
    ]
