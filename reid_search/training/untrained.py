"""What the network of a trial scores before its first step: training has to do better."""

from collections.abc import Mapping

import torch

from reid_search.data import RankingSet, TrialData
from reid_search.evaluation import EvaluationError, RankingResult
from reid_search.study import TrialConfig
from reid_search.training.measuring import rank_each, readout_plans
from reid_search.training.trainer import Trainer


def rank_untrained(
    config: TrialConfig, data: TrialData, seed: int, device: torch.device, sets: Mapping[str, RankingSet]
) -> dict[str, dict[str, RankingResult]]:
    """Return the rankings of each split by the readouts of a trial's network as it was initialised.

    The network is made anew from the trial's seed, so that this can be measured when training is over: it changes no
    random draw of the training, and a trial that was killed has nothing to keep for it. Parts that differ between
    stages of training are as in the last stage, which the trial is tested in.

    Returns:
        By split and readout; empty if features of the untrained network are not finite.
    """
    trainer = Trainer(config, data, seed, device)
    trainer.model.use_mode(config.training.resolved_stages[-1].mode)
    plans = readout_plans(config)
    try:
        return rank_each(sets, lambda images: trainer.rank(plans, images))
    except EvaluationError:
        return {}
