"""Settings of the tree-structured Parzen estimator; no Optuna."""

from typing import Literal

from pydantic import Field

from reid_search.study import SamplerConfig


class TpeConfig(SamplerConfig):
    """Draws where the best tenth of the trials lies densely and the others do not (Bergstra et al. 2011).

    Axes are modelled together, those under a condition by groups. A trial that is under way counts among the others, so
    that workers that ask at the same time keep apart.

    A model needs finished trials, so with many workers more of a search is drawn at random than `startup` says: with 16
    and the default, the first 10 + 15 proposals. A search of 24 trials is then a random search, to the digit (regret
    of 3.7 on a sphere, as random search has; 1.2 with one worker), whether trials under way count or not. With
    `workers: 16` modelling begins at proposal 20 (regret of 3.4). What is left of the loss has no remedy here: each
    worker asks without the results of the 15 others. `benchmarks/parallel_proposals.py 24 20` prints these numbers.

    Attributes:
        startup: Finished (or stopped) trials before the first that is modelled; those before are drawn at random.
        workers: How many trials are expected to be under way at once. Of the start-up trials so many, less one, may
            still be under way when modelling begins, at most half of them. It changes nothing later.
    """

    kind: Literal["tpe"]
    startup: int = Field(default=10, ge=1)
    workers: int = Field(default=1, ge=1)


CONFIG = TpeConfig
