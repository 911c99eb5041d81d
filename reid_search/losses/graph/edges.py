"""Weights of the edges between the gallery images of a probe. The weights that reach a node have the sum 1."""

import torch
from torch import Tensor

from reid_search.common.labels import DISTRACTOR

_SHUFFLE_SEED = 0


def weights_of(scores: Tensor, neighbours: Tensor) -> Tensor:
    """Return the softmax of scores over neighbours, `(…, N, N)`; an image without a neighbour is its own.

    Args:
        scores: `(…, N, N)`; row i holds the edges that reach node i.
        neighbours: `(N, N)` of bool: who may send to whom.
    """
    alone = torch.diag(~neighbours.any(dim=1))
    return scores.masked_fill(~(neighbours | alone), -torch.inf).softmax(dim=-1)


def all_others(count: int, device: torch.device) -> Tensor:
    """Return `(N, N)`: everybody but the image itself."""
    return ~torch.eye(count, dtype=torch.bool, device=device)


def same_identity(identities: Tensor) -> Tensor:
    """Return `(N, N)`: who shares an identity, with junk (-1) and distractors (0) sharing theirs with nobody."""
    return (identities[:, None] == identities[None]) & (identities > DISTRACTOR)[:, None]


def shuffled(scores: Tensor) -> Tensor:
    """Return the scores of other pairs of images, `(N, N)`: rows and columns in another, fixed order.

    The weights are those of the true graph, and its zero diagonal too; only whose they are is wrong.
    """
    generator = torch.Generator().manual_seed(_SHUFFLE_SEED)
    order = torch.randperm(len(scores), generator=generator).to(scores.device)
    return scores[order][:, order]
