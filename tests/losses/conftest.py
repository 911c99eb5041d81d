"""Taps, targets, configs and losses from plain settings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from reid_search.losses import Targets, build_loss
from reid_search.study import LOSSES, LossConfig, Scope, Stage, TapSpec
from reid_search.study.trial.side_cars import ALL_ATTRIBUTES

IMAGE_SIZE = (16, 8)


def _taps(*dims: int) -> list[TapSpec]:
    return [TapSpec(f"p{number}.global", Scope.GLOBAL, Stage.REDUCED, (dim,)) for number, dim in enumerate(dims, 1)]


def _maps(*shapes: tuple[int, ...]) -> list[TapSpec]:
    return [TapSpec(f"s{number}.map", Scope.MAP, Stage.COARSE, shape) for number, shape in enumerate(shapes, 1)]


def _targets(identities: torch.Tensor, seed: int = 0) -> Targets:
    """Return everything that may be known of images: soft maps, and keypoints of which a third is absent."""
    generator = torch.Generator().manual_seed(seed)
    count, (height, width) = len(identities), IMAGE_SIZE
    values = [torch.randint(0, number, (count,), generator=generator) for number in ALL_ATTRIBUTES.values()]
    maps = torch.randn(count, 5, height, width, generator=generator).softmax(1)[:, 1:]
    places = torch.rand(count, 17, 2, generator=generator) * torch.tensor([width - 1.0, height - 1.0])
    visible = torch.randint(0, 3, (count, 17, 1), generator=generator)
    return Targets(identities, torch.stack(values, 1), maps, torch.cat([places, visible], 2), IMAGE_SIZE)


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
def make_maps() -> Callable[..., list[TapSpec]]:
    return _maps


@pytest.fixture(scope="session")
def make_targets() -> Callable[..., Targets]:
    return _targets


@pytest.fixture(scope="session")
def make_config() -> Callable[[Mapping[str, Any]], LossConfig]:
    return _make_config


@pytest.fixture(scope="session")
def make_loss() -> Callable[..., nn.Module]:
    return _make_loss
