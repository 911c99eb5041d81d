"""The effects of the claims of a study, with those of their controls."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from ...answers.claim_answer import ClaimAnswer
from ...statistics import verdict
from ...statistics.signed_rank import RankEffect
from ..formats import interval, known, points
from ..naming import shortened
from .style import GRID, INK, MUTED, Drawing, blank, finished, style

CLAIMS_DRAWN = 40
CLAIM_COLOURS = {verdict.SUPPORTED: "#0b7a5b", verdict.CONTRADICTED: "#b3431d", verdict.NEGLIGIBLE: INK}


def draw_claims(answers: Sequence[ClaimAnswer]) -> Drawing | None:
    """Draw each claim's effect with its interval, and its control below, hollow; None if no claim has an effect."""
    numbered = [(number, answer) for number, answer in enumerate(answers, start=1) if answer.effect.n][:CLAIMS_DRAWN]
    shown = [answer for _, answer in numbered]
    if not shown:
        return None
    with style():
        figure, axes = blank(0.8 + 0.48 * len(shown))
        axes.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
        for place, answer in enumerate(shown):
            _draw_answer(axes, place, answer)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_ylim(len(shown) - 0.4, -0.7)
        axes.margins(x=0.08)
        axes.set_xlabel("effect in the claimed direction, points")
        axes.grid(axis="x")
        title = "Effects of the claims with their controls"
        marks = {_gid(place): (_said(answer), f"claim-{number}") for place, (number, answer) in enumerate(numbered)}
        return finished(figure, "claims", title, *_caption(answers, shown), marks=marks)


def _draw_answer(axes: Axes, place: int, answer: ClaimAnswer) -> None:
    name = axes.text(0, place - 0.42, shortened(answer.claim.name, 52), transform=axes.get_yaxis_transform())
    name.set(va="center", fontsize=8.5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, zorder=4)
    band = 100 * answer.claim.smallest_effect
    axes.fill_betweenx([place - 0.28, place + 0.42], -band, band, color=GRID, alpha=0.7, linewidth=0, zorder=0)
    colour = CLAIM_COLOURS.get(answer.verdict, MUTED)
    has_control = answer.control is not None and answer.control.n > 0
    filled = answer.verdict in CLAIM_COLOURS
    _draw_effect(axes, place - 0.08 * has_control, answer.effect, colour, filled=filled, gid=_gid(place))
    if answer.control is not None and has_control:
        _draw_effect(axes, place + 0.22, answer.control, MUTED, filled=False, marker="s", size=4.0)


def _gid(place: int) -> str:
    return f"claim-{place}"


def _said(answer: ClaimAnswer) -> str:
    """Return what a reader sees who points at a claim's effect."""
    effect = answer.effect
    around = f" ({interval(effect.low, effect.high)})" if known(effect.low) else ""
    return f"{answer.claim.name}: {points(effect.delta)} points{around}, {answer.verdict}"


def _draw_effect(
    axes: Axes,
    place: float,
    effect: RankEffect,
    colour: str,
    *,
    filled: bool,
    marker: str = "o",
    size: float = 6.5,
    gid: str | None = None,
) -> None:
    if math.isfinite(effect.low):
        axes.plot([100 * effect.low, 100 * effect.high], [place, place], color=colour, linewidth=1.6, zorder=2)
    axes.plot(
        100 * effect.delta, place, marker, color=colour, markerfacecolor=colour if filled else "white",
        markersize=size, markeredgewidth=1.4, zorder=3, gid=gid,
    )  # fmt: skip


def _caption(answers: Sequence[ClaimAnswer], shown: Sequence[ClaimAnswer]) -> tuple[str, ...]:
    squares = "Squares: the same effect under the control's settings, where it must vanish."
    return (
        "Effects with their intervals over seeds, for all claims together. Filled: decided.",
        squares * any(answer.control is not None for answer in shown),
        "The grey bands are ± the smallest effect of interest.",
        f"Of {len(answers)} claims, {len(shown)} are drawn." if len(shown) < len(answers) else "",
    )
