"""From a sampler's config to Optuna's sampler."""

from typing import cast

from optuna.samplers import BaseSampler

from reid_search.study import SAMPLERS, SamplerConfig


def build_sampler(config: SamplerConfig, seed: int) -> BaseSampler:
    """Build the sampler of one proposal.

    Args:
        config: The config of any kind whose `cells` are not known beforehand.
        seed: Seed of this one proposal. The sampler is made anew for each, and may look at nothing but this seed and
            the trials of the Optuna study, of which it sees the parameters, the values and the state.
    """
    return cast("BaseSampler", SAMPLERS.work_module(config).build(config, seed))
