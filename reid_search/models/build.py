"""Builds a model from its config, and measures its size."""

from typing import cast

import torch
from torch import nn

from reid_search.models.model import Batch, ReidModel
from reid_search.study import ARCHITECTURES, ModelConfig


def build_model(config: ModelConfig, *, image_size: tuple[int, int]) -> ReidModel:
    """Build a model from its config for images of `(height, width)`.

    Random weights come from torch's global generator; seed it inside `torch.random.fork_rng`.
    """
    return cast("ReidModel", ARCHITECTURES.work_module(config).build(config, image_size))


def count_parameters(module: nn.Module) -> int:
    """Return the number of values in the parameters; frozen ones count, shared ones count once."""
    return sum(parameter.numel() for parameter in module.parameters())


def count_macs(model: ReidModel, image_size: tuple[int, int]) -> int:
    """Return the multiply-adds of one forward pass of one image, in convolutions and matrix products."""
    from torch.utils.flop_counter import FlopCounterMode

    device = next(model.parameters()).device
    training = model.training
    model.eval()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(Batch.example(image_size, device=device))
    model.train(training)
    return counter.get_total_flops() // 2
