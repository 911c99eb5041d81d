"""Taps, configs and losses from plain settings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from reid_search.losses import build_loss
from reid_search.study import LOSSES, LossConfig, Scope, Stage, TapSpec


def _taps(*dims: int) -> list[TapSpec]:
    return [TapSpec(f"p{number}.global", Scope.GLOBAL, Stage.REDUCED, (dim,)) for number, dim in enumerate(dims, 1)]


def _make_loss(settings: Mapping[str, Any], taps: Sequence[TapSpec], classes: int = 5, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_loss(_make_config(settings), taps, classes)


def _make_config(settings: Mapping[str, Any]) -> LossConfig:
    return LOSSES.validate(settings)


@pytest.fixture(scope="session")
def make_taps() -> Callable[..., list[TapSpec]]:
    return _taps


@pytest.fixture(scope="session")
def make_config() -> Callable[[Mapping[str, Any]], LossConfig]:
    return _make_config


@pytest.fixture(scope="session")
def make_loss() -> Callable[..., nn.Module]:
    return _make_loss
