"""Settings of CMA-ES; no Optuna."""

from typing import Literal

from pydantic import Field

from reid_search.errors import StudyError
from reid_search.study import SamplerConfig, Space


class CmaEsConfig(SamplerConfig):
    """Moves a Gaussian over the ranges, generation by generation (CMA-ES; Hansen & Ostermeier 2001).

    It searches the ranges that every trial has. What it cannot search, choices, variants and ranges under a condition,
    is drawn by TPE, one axis at a time. Whole numbers are searched as numbers and rounded. It learns from finished
    trials only, so a stopped trial teaches it nothing: `pruner: none` suits it. It takes several generations, so fewer
    than some 50 trials are better left to TPE.

    A generation is so many finished trials, in the order of their numbers; a proposal is drawn from the Gaussian after
    the last full generation. Trials under way at once are drawn independently from it.

    Attributes:
        startup: Finished trials, drawn at random, before the first generation.
        population: Finished trials of a generation; 4 + 3 ln(ranges) where omitted. With many workers, rather as many
            as there are workers.
    """

    kind: Literal["cma_es"]
    startup: int = Field(default=1, ge=1)
    population: int | None = Field(default=None, ge=3)

    def check(self, space: Space) -> None:
        """Make sure that there is a range to search."""
        if not any(axis.span and not axis.when for axis in space.axes.values()):
            raise StudyError(
                "sampler: cma_es searches ranges without a condition, and no axis of this search is one; "
                "allowed: tpe, random, or an axis such as {uniform: [0.1, 2.0]}"
            )


CONFIG = CmaEsConfig
