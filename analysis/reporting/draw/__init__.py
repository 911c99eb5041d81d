"""The figures of a report: one module a figure, `style` for what they share.

A draw function takes a summary and returns a `Drawing`, or None if there is nothing to draw. The lists below give the
figures of each section, in order, on the page and in Markdown.
"""

from collections.abc import Callable, Sequence

from ...answers.ablations import AblationSummary
from ...answers.claim_answer import ClaimAnswer
from ...answers.searches import SearchSummary
from .claims import draw_claims
from .cmc import curves_shown, draw_cmc
from .cost import draw_cost
from .effects import draw_ablation_effects
from .forest import draw_design, draw_forest
from .history import draw_history
from .isolation import draw_isolation
from .parallel import draw_parallel
from .spending import draw_spending
from .style import Drawing

CLAIMS: list[Callable[[Sequence[ClaimAnswer]], Drawing | None]] = [draw_claims]
SEARCH: list[Callable[[SearchSummary], Drawing | None]] = [draw_history, draw_spending, draw_isolation, draw_parallel]
ARMS: list[Callable[[AblationSummary], Drawing | None]] = [draw_cmc]
ABLATION: list[Callable[[AblationSummary], Drawing | None]] = [
    draw_forest, draw_design, draw_ablation_effects, draw_cmc, draw_cost,
]  # fmt: skip

__all__ = [
    "ABLATION", "ARMS", "CLAIMS", "SEARCH", "Drawing", "curves_shown", "draw_ablation_effects", "draw_claims",
    "draw_cmc", "draw_cost", "draw_design", "draw_forest", "draw_history", "draw_isolation", "draw_parallel",
    "draw_spending",
]  # fmt: skip
