"""Say on which axes of a search the optimum lies at the edge, what to do about it, and what that costs."""

from collections import Counter
from collections.abc import Iterator

from reid_search.words import several

from ..answers.edges import FEWEST_TRIALS, Edge
from ..answers.number_axes import NumberAxis
from ..answers.prices import Price
from ..answers.searches import SearchSummary
from .formats import amount, duration, share

_END = {"smallest": "lower", "largest": "upper"}
_FURTHER = 0.5  # of a range


def describe_edges(search: SearchSummary) -> list[str]:
    """Return one sentence for each optimum at an edge."""
    return [_sentence(edge, search) for edge in search.edges]


def count_edges(search: SearchSummary) -> Iterator[str]:
    """Yield one sentence for each axis with optima at an edge: how many there are."""
    tuned = several(len(search.best_of_each), "arm" if search.tuned_by == "arm" else "level")
    for axis, count in Counter(edge.axis for edge in search.edges).items():
        where = f" for {count} of {tuned}" if search.tuned_by else ""
        yield (
            f"The optimum of {axis} may lie at the edge of what was searched{where}, so a better one may lie beyond; "
            "the section on the search says what to do."
        )


def _sentence(edge: Edge, search: SearchSummary) -> str:
    searched, axis = search.axes[edge.axis], NumberAxis.of(search.described.get(edge.axis, {}))
    whose = f"{edge.arm}: the" if edge.arm is not None else "The"
    end = f"{_END[edge.side]} end of {edge.axis} ({searched})"
    if edge.probability is None:
        few = f"{several(edge.trials, 'trial')} cannot tell whether that is chance, {FEWEST_TRIALS} might"
        found = f"{whose} best {edge.axis}, {edge.value}, is the {edge.side} of the {edge.tried} values tried; {few}."
    else:
        found = (
            f"{whose} optimum lies at the {end} with probability {_chance(edge.probability)} "
            f"({several(edge.trials, 'trial')}; best so far {edge.value}), so a better one may lie beyond."
        )
    return f"{found} {_remedy(edge, axis, search.prices.get(edge.axis))}".strip()


def _remedy(edge: Edge, axis: NumberAxis | None, price: Price | None) -> str:
    if axis is None or price is None:
        return ""
    wider = "one more number there" if axis.choices else f"the range up to {axis.beyond(edge.side, _FURTHER)}"
    wider = wider.replace("up to", "down to") if edge.side == "smallest" else wider
    time = f", about {duration(price.seconds)}" if price.seconds is not None else ""
    why = ": its proposals are drawn anew" if price.anew else ""
    return (
        f"A search with {wider} takes {several(price.trials, 'trial')} and {amount(price.images)} images{time}, "
        f"without early stopping{why}."
    )


def _chance(probability: float) -> str:
    return "over 0.99" if probability > 0.99 else share(probability)
