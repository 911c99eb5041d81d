"""Settings of CMA-ES; no Optuna."""

from typing import Literal

from pydantic import Field

from reid_search.errors import StudyError
from reid_search.study import SamplerConfig, Space


class CmaEsConfig(SamplerConfig):
    """Moves a Gaussian over the ranges, generation by generation (CMA-ES; Hansen & Ostermeier 2001).

    It searches the ranges that every trial has. TPE draws everything else (choices, variants and ranges under a
    condition), one axis at a time. Whole numbers are searched as numbers and rounded. It learns only from finished
    trials, not from stopped ones, so use `pruner: none`. It needs several generations; below about 50 trials, TPE is
    the better choice.

    A generation is `population` finished trials, in the order of their numbers. A proposal is drawn from the Gaussian
    after the last full generation; trials that run at the same time are drawn independently.

    Attributes:
        startup: Finished trials, drawn at random, before the first generation.
        population: Finished trials of a generation; by default 4 + 3 ln(ranges). With many workers, use at least as
            many as there are workers.
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
