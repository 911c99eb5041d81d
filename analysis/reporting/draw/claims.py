"""The effects of the claims of a study, with those of their controls."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from ...answers.claim_answer import ClaimAnswer
from ...statistics import verdict
from ...statistics.signed_rank import RankEffect
from ..naming import shortened
from .style import GRID, INK, MUTED, WIDTH, Drawing, blank, finished, style

CLAIMS_DRAWN = 40
CLAIM_COLOURS = {verdict.SUPPORTED: "#0b7a5b", verdict.CONTRADICTED: "#b3431d", verdict.NEGLIGIBLE: INK}


def draw_claims(answers: Sequence[ClaimAnswer]) -> Drawing | None:
    """Draw each claim's effect with its interval, and its control below, hollow; None if no claim has an effect."""
    shown = [answer for answer in answers if answer.effect.n][:CLAIMS_DRAWN]
    if not shown:
        return None
    with style():
        figure, axes = blank(1.0 + 0.5 * len(shown), 1.5 * WIDTH)
        axes.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
        for place, answer in enumerate(shown):
            _draw_answer(axes, place, answer)
        axes.set_yticks(range(len(shown)), [shortened(answer.claim.name, 38) for answer in shown])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.margins(x=0.08)
        axes.set_xlabel("effect in the claimed direction, points")
        axes.grid(axis="x")
        return finished(figure, "claims", "Effects of the claims with their controls", *_caption(answers, shown))


def _draw_answer(axes: Axes, place: int, answer: ClaimAnswer) -> None:
    band = 100 * answer.claim.smallest_effect
    axes.fill_betweenx([place - 0.42, place + 0.42], -band, band, color=GRID, alpha=0.7, linewidth=0, zorder=0)
    colour = CLAIM_COLOURS.get(answer.verdict, MUTED)
    has_control = answer.control is not None and answer.control.n > 0
    _draw_effect(axes, place - 0.14 * has_control, answer.effect, colour, filled=answer.verdict in CLAIM_COLOURS)
    if answer.control is not None and has_control:
        _draw_effect(axes, place + 0.2, answer.control, MUTED, filled=False, marker="s", size=4.0)


def _draw_effect(
    axes: Axes, place: float, effect: RankEffect, colour: str, *, filled: bool, marker: str = "o", size: float = 6.5
) -> None:
    if math.isfinite(effect.low):
        axes.plot([100 * effect.low, 100 * effect.high], [place, place], color=colour, linewidth=1.6, zorder=2)
    axes.plot(
        100 * effect.delta, place, marker, color=colour, markerfacecolor=colour if filled else "white",
        markersize=size, markeredgewidth=1.4, zorder=3,
    )  # fmt: skip


def _caption(answers: Sequence[ClaimAnswer], shown: Sequence[ClaimAnswer]) -> tuple[str, ...]:
    squares = "Squares: the same effect under the control's settings, where it must vanish."
    return (
        "Effects with their intervals over seeds, for all claims together. Filled: decided.",
        squares * any(answer.control is not None for answer in shown),
        "The grey bands are ± the smallest effect of interest.",
        f"Of {len(answers)} claims, {len(shown)} are drawn." if len(shown) < len(answers) else "",
    )
