"""The cumulative matching characteristic of a few arms."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from ...answers.ablations import AblationSummary
from ..naming import centre_word, file_name, tail
from .style import ACCENT, VERDICT_COLOURS, Drawing, blank, finished, style

CURVES_DRAWN = 4  # beside the centre's
_RANKS_SHOWN = 20
FURTHER_COLOURS = ("#8a5a9e", "#a67c00")
_COLOURS = (ACCENT, VERDICT_COLOURS["better"], VERDICT_COLOURS["worse"], *FURTHER_COLOURS)
_CURVE_STYLES = tuple(zip(_COLOURS, ("-", "--", "-.", ":", (0, (5, 1))), strict=True))


def draw_cmc(ablation: AblationSummary) -> Drawing | None:
    """Draw the CMC curves of the centre and the arms furthest from it, with the range over seeds."""
    shown = [arm for arm in curves_shown(ablation) if arm in ablation.curves]
    if not shown:
        return None
    with style():
        figure, axes = blank(3.3)
        for arm, (colour, line) in zip(shown, _CURVE_STYLES, strict=False):
            curves = 100 * ablation.curves[arm][:, :_RANKS_SHOWN]
            ranks, mean = np.arange(1, curves.shape[1] + 1), curves.mean(axis=0)
            axes.plot(ranks, mean, linestyle=line, color=colour, linewidth=1.6, label=tail(arm, 44))
            if len(curves) > 1:
                axes.fill_between(ranks, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.14, linewidth=0)
        axes.set_xlabel("rank")
        axes.set_ylabel("matching rate in %")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid()
        axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.18))
        few = ""
        if ablation.is_for_claims and len(ablation.arms) > len(shown):
            few = f"; of {len(ablation.arms)} arms, {len(shown)}"
        elif len(ablation.compared) > CURVES_DRAWN:
            few = f"; the {centre_word(ablation)} and the arms furthest from it"
        caption = f"Cumulative matching characteristic, mean over seeds with the range over seeds{few}."
        return finished(figure, file_name("cmc", ablation), f"CMC curves of {ablation.phase}", caption)


def curves_shown(ablation: AblationSummary) -> list[str]:
    """Return the arms whose curves are drawn: the centre and the best and worst few, or the first if it has none."""
    rows = ablation.furthest(CURVES_DRAWN).sort_values("delta", ascending=False, kind="stable")
    if ablation.is_for_claims:
        return list(ablation.arms["arm"])[: CURVES_DRAWN + 1]
    return [ablation.centre_arm, *rows["arm"]]
