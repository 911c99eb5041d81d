"""Building models from plain settings, repeatably."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from reid_search.models import Batch, ReidModel, build_model
from reid_search.study import ARCHITECTURES, ModelConfig

SMALL = (64, 32)


def _make_config(settings: Mapping[str, Any]) -> ModelConfig:
    return ARCHITECTURES.validate({"backbone": "resnet10_thin", **settings})


def _make_model(
    settings: Mapping[str, Any], image_size: tuple[int, int] = SMALL, seed: int = 0, device: str = "cpu"
) -> ReidModel:
    """A model of small images; on the device `meta` it has shapes and no values, and costs nothing."""
    with torch.random.fork_rng(), torch.device(device):
        torch.manual_seed(seed)
        return build_model(_make_config(settings), image_size=image_size)


def _images(count: int, image_size: tuple[int, int] = SMALL, seed: int = 0) -> Tensor:
    return torch.randn(count, 3, *image_size, generator=torch.Generator().manual_seed(seed))


def _batches(count: int, image_size: tuple[int, int] = SMALL, seed: int = 0) -> Batch:
    """Images with part maps and keypoints, some of which are absent."""
    generator = torch.Generator().manual_seed(seed)
    maps = torch.rand(count, 5, *image_size, generator=generator).pow(4)
    places = torch.rand(count, 17, 2, generator=generator) * torch.tensor(image_size).flip(0) - 0.5
    seen = torch.randint(0, 3, (count, 17, 1), generator=generator)
    return Batch(
        _images(count, image_size, seed),
        maps=(maps / maps.sum(dim=1, keepdim=True))[:, 1:],
        keypoints=torch.cat([places * (seen > 0), seen.float()], dim=2),
    )


@pytest.fixture(scope="session")
def batches() -> Callable[..., Batch]:
    return _batches


@pytest.fixture(scope="session")
def make_config() -> Callable[..., ModelConfig]:
    return _make_config


@pytest.fixture(scope="session")
def make_model() -> Callable[..., ReidModel]:
    return _make_model


@pytest.fixture(scope="session")
def images() -> Callable[..., Tensor]:
    return _images


@pytest.fixture
def deterministic_algorithms() -> Iterator[None]:
    """What has no deterministic form raises while the test runs."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(before)
