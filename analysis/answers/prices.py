"""What it would cost to search beyond the edge of an axis."""

from dataclasses import dataclass
from statistics import median

from reid_search.records import Status, StudyState

from .number_axes import NumberAxis


@dataclass(frozen=True)
class Price:
    """What a search would still cost, as `plan` counts: without early stopping.

    Attributes:
        trials: Trainings that are not measured yet, with those of finalists.
        images: Their images.
        seconds: Their time, from that of the search's finished trials; None without one.
        anew: Whether every proposal is drawn again, as from a wider range.
    """

    trials: int
    images: int
    seconds: float | None
    anew: bool


def price_beyond(state: StudyState, phase: str, path: str) -> Price | None:
    """Return what a search costs when an axis goes on at one end; None if the log does not say what it planned.

    A sampler draws from a wider range anew, so every trial is a new one. A grid keeps what it has, and adds the cells
    of one more choice.
    """
    planned, axis = state.history.planned.get(phase), NumberAxis.of(state.axes.get(path, {}))
    asks = state.searches[phase]
    if planned is None or axis is None or not planned.trials or not asks:
        return None
    anew = not (axis.choices and asks[-1].by == "grid")
    trials = planned.trials if anew else max(1, round((planned.trials - planned.finalists) / len(axis.choices)))
    images = round(planned.images * trials / planned.trials)
    finished = [trial for ask in asks if (trial := state.trial(ask)) is not None and trial.status == Status.FINISHED]
    rates = [trial.seconds / trial.images_seen for trial in finished if trial.images_seen]
    return Price(trials, images, images * median(rates) if rates else None, anew)
