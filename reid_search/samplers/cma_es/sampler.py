"""CMA-ES whose state is derived from the finished trials at every proposal.

Optuna's own stores the Gaussian and each trial's generation in its trials. A search that is rebuilt from its log has
neither, so its proposals would depend on when a driver died.
"""

from collections.abc import Mapping

import cmaes
import numpy as np
import numpy.typing as npt
from optuna import Study
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.search_space import intersection_search_space
from optuna.trial import FrozenTrial, TrialState

from reid_search.samplers.cma_es.config import CmaEsConfig

Floats = npt.NDArray[np.float64]
_Ranges = Mapping[str, BaseDistribution]

_STEP = 1 / 6  # of a range: Optuna's choice


class CmaEsSampler(BaseSampler):  # type: ignore[misc]
    """Draws one proposal from the Gaussian after the last full generation of finished trials."""

    def __init__(self, config: CmaEsConfig, seed: int) -> None:
        self._config = config
        self._seed = seed
        self._other = TPESampler(seed=seed, multivariate=False)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the ranges that every finished trial has."""
        del trial
        finished = self._finished(study)
        if len(finished) < self._config.startup:
            return {}
        return {
            name: distribution
            for name, distribution in sorted(intersection_search_space(finished).items())
            if isinstance(distribution, FloatDistribution | IntDistribution) and not distribution.single()
        }

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: _Ranges) -> dict[str, float | int]:
        """Return a setting of every range."""
        del trial
        if not search_space:
            return {}
        count = len(search_space)
        bounds = np.tile([0.0, 1.0], (count, 1))
        optimizer = cmaes.CMA(
            np.full(count, 0.5), _STEP, bounds, seed=self._seed, population_size=self._config.population
        )
        finished, size = self._finished(study)[self._config.startup :], optimizer.population_size
        for start in range(0, len(finished) - size + 1, size):
            generation = finished[start : start + size]
            optimizer.tell([(_shares(one.params, search_space), -one.value) for one in generation])
        drawn = optimizer.ask()
        return {
            name: _value(share, search_space[name])
            for name, share in zip(search_space, drawn.tolist(), strict=True)
        }  # fmt: skip

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> object:
        """Return a setting of an axis that CMA-ES does not search."""
        return self._other.sample_independent(study, trial, param_name, param_distribution)

    def _finished(self, study: Study) -> list[FrozenTrial]:
        return list(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))


def _shares(params: Mapping[str, float], ranges: _Ranges) -> Floats:
    """Return where in their ranges the settings of a trial lie, in [0, 1]."""
    ends = {name: _ends(ranges[name]) for name in ranges}
    return np.array([(_scaled(params[name], ranges[name]) - low) / (high - low) for name, (low, high) in ends.items()])


def _value(share: float, distribution: BaseDistribution) -> float | int:
    """Return the setting that lies at this share of its range."""
    low, high = _ends(distribution)
    scaled = low + share * (high - low)
    value = float(np.exp(scaled)) if distribution.log else scaled
    if isinstance(distribution, IntDistribution):
        value = round(value)
    return type(value)(min(max(value, distribution.low), distribution.high))


def _ends(distribution: BaseDistribution) -> tuple[float, float]:
    """Return the scaled ends of a range; a whole number owns half a step on both sides."""
    half = 0.5 if isinstance(distribution, IntDistribution) else 0.0
    return _scaled(distribution.low - half, distribution), _scaled(distribution.high + half, distribution)


def _scaled(value: float, distribution: BaseDistribution) -> float:
    return float(np.log(value)) if distribution.log else float(value)


def build(config: CmaEsConfig, seed: int) -> BaseSampler:
    """Build the sampler of one proposal."""
    return CmaEsSampler(config, seed)
