"""The figures of a report: one module a figure, `style` for what they share.

A draw function takes a summary and returns a `Drawing`, or None where there is nothing to draw.
"""

from .claims import draw_claims
from .cmc import curves_shown, draw_cmc
from .cost import draw_cost
from .effects import draw_ablation_effects, draw_search_effects
from .forest import draw_design, draw_forest
from .history import draw_history
from .parallel import draw_parallel
from .style import Drawing

__all__ = [
    "Drawing",
    "curves_shown",
    "draw_ablation_effects",
    "draw_claims",
    "draw_cmc",
    "draw_cost",
    "draw_design",
    "draw_forest",
    "draw_history",
    "draw_parallel",
    "draw_search_effects",
]
