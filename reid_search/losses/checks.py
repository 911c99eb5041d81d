"""Checks that a loss fits the shapes of its taps; no torch."""

from collections.abc import Sequence

from reid_search.errors import StudyError
from reid_search.study import TapSpec


def check_shape(loss: str, tap: TapSpec, leading: int, axes: int, what: str) -> None:
    """Check a tap whose values a loss reads one by one: `axes` axes, the first of which holds `leading` of `what`.

    Raises:
        StudyError: The tap has another shape.
    """
    if len(tap.shape) != axes or tap.shape[0] != leading:
        wanted = ", ".join([str(leading), *("height", "width")[: axes - 1]])
        raise StudyError(
            f"loss '{loss}' cannot sit on {tap.key}, whose shape is {list(tap.shape)}; "
            f"expected [{wanted}]: {leading} {what}"
        )


def check_one_length(what: str, taps: Sequence[TapSpec]) -> None:
    """Check that vectors of several taps can go through the same module.

    Raises:
        StudyError: They differ in length.
    """
    for tap in taps:
        if tap.dim != taps[0].dim:
            raise StudyError(
                f"{what} takes vectors of one length, but {taps[0].key} has {taps[0].dim} values "
                f"and {tap.key} has {tap.dim}; place it on taps of one length, or share nothing"
            )
