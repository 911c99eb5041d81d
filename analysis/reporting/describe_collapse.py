"""Say which arms and searches learnt nothing, and how often seeds collapse."""

from collections.abc import Iterator

from reid_search.records import Collapse
from reid_search.words import several

from ..answers.ablations import AblationSummary
from ..answers.searches import SearchSummary
from ..reading.measures import rows_of

LEARNT_NOTHING = "∅"

_WHAT = (
    "A seed has collapsed if its mAP is at or under that of a random ranking (plus 2.33 of its standard deviations) or "
    "not above that of its own network before training. The rate counts failed seeds too; its 95 % interval is that of "
    "Clopper & Pearson."
)


def describe_collapse(ablation: AblationSummary) -> Iterator[str]:
    """Yield which arms learnt nothing or lost seeds, and how that was found; nothing if every seed learnt."""
    rows = [row for row in rows_of(ablation.arms) if row["collapsed"] or row["failed"]]
    if flagged := [row for row in rows if row["flag"]]:
        arms = "; ".join(f"{row['arm']} ({Collapse(row['flag']).words})" for row in flagged)
        yield (
            f"{LEARNT_NOTHING} {arms}: learnt nothing in any seed. That another arm is above says that it learns, and "
            "nothing about what its settings are worth, so no difference from these arms is an effect."
        )
    for row in rows:
        if not row["flag"]:
            yield f"{row['arm']}: {row['ended']}."
    if any(row["collapsed"] for row in rows):
        yield _WHAT
    if ablation.without_untrained:
        seeds = several(ablation.without_untrained, "finished seed")
        yield (
            f"The records of {seeds} do not hold what the untrained network reached, so of these only chance counts as "
            "collapse."
        )


def describe_best_collapsed(search: SearchSummary) -> Iterator[str]:
    """Yield that the best proposal, or the best of some levels or arms, learnt nothing."""
    if search.tuned_by:
        found = [level for level, row, _ in search.best_of_each if row["number"] in search.collapsed]
        if found:
            yield f"Even the best of {', '.join(found)} learnt nothing: at chance or not above the untrained network."
    elif search.best is not None and (flag := search.collapsed.get(int(search.best["number"]))):
        yield f"The best is {Collapse(flag).words}: no proposal learnt anything, so the search has found no best."
