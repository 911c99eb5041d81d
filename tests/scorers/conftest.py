"""Losses that own heads, scorers of them, and people whose views are bridged by views in between."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from reid_search.evaluation import RankingResult, evaluate_ranking
from reid_search.losses import Targets, build_loss
from reid_search.scorers import Scorer, build_scorer
from reid_search.study import LOSSES, SCORERS, Scope, Stage, TapSpec

DIM = 16


@dataclass(frozen=True)
class People:
    """Features and labels of queries and gallery."""

    query: np.ndarray
    gallery: np.ndarray
    query_ids: np.ndarray
    gallery_ids: np.ndarray

    def evaluate(self, scorer: Scorer, **options: Any) -> RankingResult:
        return evaluate_ranking(self.query, self.gallery, scorer=scorer, **self.labels, **options)

    @property
    def labels(self) -> dict[str, np.ndarray]:
        """Queries come from camera 0, the gallery from camera 1."""
        return {
            "query_ids": self.query_ids,
            "gallery_ids": self.gallery_ids,
            "query_cameras": np.zeros(len(self.query_ids), int),
            "gallery_cameras": np.ones(len(self.gallery_ids), int),
        }

    def reordered(self, order: np.ndarray) -> "People":
        return People(self.query, self.gallery[order], self.query_ids, self.gallery_ids[order])


def _make_loss(settings: Mapping[str, Any], dim: int = DIM, seed: int = 0) -> nn.Module:
    tap = TapSpec("global", Scope.GLOBAL, Stage.COARSE, (dim,))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_loss(LOSSES.validate(settings), [tap], classes=1)


def _make_scorer(settings: Mapping[str, Any], losses: Mapping[str, nn.Module] | None = None) -> Scorer:
    return build_scorer(SCORERS.validate(settings), losses or {})


def _views(identities: int, angles: list[float], generator: np.random.Generator, noise: float) -> np.ndarray:
    """Return `(identities, views, DIM)`: each person turns from a front to a back that have nothing in common."""
    front, back = generator.standard_normal((2, identities, 1, DIM))
    turned = np.deg2rad(angles)[None, :, None]
    views = np.cos(turned) * front + np.sin(turned) * back
    return (views + noise * generator.standard_normal(views.shape)).astype(np.float32)


def _make_people(identities: int, angles: list[float], seed: int, noise: float = 0.1) -> People:
    """Queries seen from the front, and a gallery of views at these angles in degrees."""
    generator = np.random.default_rng(seed)
    views = _views(identities, [0.0, *angles], generator, noise)
    ids = np.arange(1, identities + 1)
    return People(views[:, 0], views[:, 1:].reshape(-1, DIM), ids, np.repeat(ids, len(angles)))


def _train(loss: nn.Module, angles: list[float], steps: int, seed: int = 0) -> nn.Module:
    """Train a loss on the views of ever new people; the features themselves are fixed."""
    generator = np.random.default_rng(seed)
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.01)
    targets = Targets(torch.arange(12).repeat_interleave(len(angles)))
    for _ in range(steps):
        views = _views(12, angles, generator, noise=0.1)
        value = loss({"global@coarse": torch.from_numpy(views.reshape(-1, DIM))}, targets)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return loss


@pytest.fixture(scope="session")
def make_loss() -> Callable[..., nn.Module]:
    return _make_loss


@pytest.fixture(scope="session")
def make_scorer() -> Callable[..., Scorer]:
    return _make_scorer


@pytest.fixture(scope="session")
def make_people() -> Callable[..., People]:
    return _make_people


@pytest.fixture(scope="session")
def train() -> Callable[..., nn.Module]:
    return _train
