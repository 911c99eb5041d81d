"""Say which best values lie at the edge of what a search tried, and what to do about it."""

from collections import Counter
from collections.abc import Iterator

from reid_search.words import several

from ..answers.edges import Edge
from ..answers.searches import SearchSummary

_BEYOND = {"smallest": ("smaller", "below", "down"), "largest": ("larger", "above", "up")}


def describe_edges(search: SearchSummary) -> list[str]:
    """Return one sentence for each best value at an edge."""
    return [_sentence(edge, search.axes[edge.axis]) for edge in search.edges]


def count_edges(search: SearchSummary) -> Iterator[str]:
    """Yield one sentence for each axis with best values at an edge: how many there are."""
    tuned = several(len(search.best_of_each), "arm" if search.tuned_by == "arm" else "level")
    for axis, count in Counter(edge.axis for edge in search.edges).items():
        where = f" for {count} of {tuned}" if search.tuned_by else ""
        yield (
            f"The best {axis} is the smallest or largest tried{where}, so a better one may lie outside; the section on "
            "the search says what to do."
        )


def _sentence(edge: Edge, searched: str) -> str:
    comparative, place, way = _BEYOND[edge.side]
    best = f"{edge.arm}: the best {edge.axis}" if edge.arm is not None else f"The best {edge.axis}"
    found = f"{best}, {edge.value}, is the {edge.side} of the {edge.tried} values tried"
    if edge.at_end:
        return (
            f"{found}, and the end of what the study allows ({searched}). A better one may lie {place} it: widen the "
            f"axis {way}wards and run the study again."
        )
    return (
        f"{found}, although {comparative} ones are allowed ({searched}). A better one may lie {place} it: give the "
        "search more trials."
    )
