"""Settings of the tree-structured Parzen estimator; no Optuna."""

from typing import Literal

from pydantic import Field

from reid_search.study import SamplerConfig


class TpeConfig(SamplerConfig):
    """Draws where the best tenth of the trials lies densely and the others do not (Bergstra et al. 2011).

    Axes are modelled together, those under a condition in groups. Running trials count among the worse ones, so that
    workers that ask at the same time get different settings.

    A model needs finished trials, so with many workers more proposals are random than `startup` says: with 16 workers
    and the default, the first 10 + 15. A search of 24 trials is then exactly a random search (regret of 3.7 on a
    sphere; 1.2 with one worker), whether running trials count or not. With `workers: 16`, modelling begins at proposal
    20 (regret of 3.4). The rest of the loss cannot be avoided: each worker asks without the results of the other 15.
    `benchmarks/parallel_proposals.py 24 20` prints these numbers.

    Attributes:
        startup: Finished or stopped trials before modelling begins; until then, proposals are random.
        workers: Number of trials expected to run at once. Modelling begins while up to `workers` - 1 of the start-up
            trials, but at most half of them, are still running. It changes nothing later.
    """

    kind: Literal["tpe"]
    startup: int = Field(default=10, ge=1)
    workers: int = Field(default=1, ge=1)


CONFIG = TpeConfig
