"""Asking a batch for what an architecture cannot do without."""

from torch import Tensor

from reid_search.errors import StudyError
from reid_search.study.trial.side_cars import SideCar, in_words


def needed(value: Tensor | None, kind: SideCar, architecture: str) -> Tensor:
    """Return what accompanies a batch.

    Raises:
        StudyError: The batch has none.
    """
    if value is None:
        raise StudyError(f"architecture '{architecture}' needs {in_words(kind)}, and this batch has none")
    return value
