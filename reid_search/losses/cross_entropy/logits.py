"""Logits made of the cosines between features and classes."""

import torch
from torch import Tensor


def cosine_logits(cosines: Tensor, classes: Tensor, scale: float, margin: float) -> Tensor:
    """Take a margin off the cosine of each image's own class (CosFace, Wang et al. 2018, equation 4).

    Args:
        cosines: `(B, C)` in [-1, 1].
        classes: `(B,)` class of each image.
        scale: Factor of the logits.
        margin: What is taken off.

    Returns:
        `(B, C)` logits.
    """
    return scale * torch.where(_own(cosines, classes), cosines - margin, cosines)


def circle_logits(cosines: Tensor, classes: Tensor, scale: float, margin: float) -> Tensor:
    """Weigh each cosine by its distance from its optimum (Sun et al. 2020, equations 4 to 8).

    The optimum is 1 + m for the own class and -m for the others, the decision margins are 1 - m and m. No gradient
    passes through the weights.

    Args:
        cosines: `(B, C)` in [-1, 1].
        classes: `(B,)` class of each image.
        scale: Factor of the logits.
        margin: The relaxation m.

    Returns:
        `(B, C)` logits.
    """
    constant = cosines.detach()
    own = (1 + margin - constant).relu() * (cosines - (1 - margin))
    others = (constant + margin).relu() * (cosines - margin)
    return scale * torch.where(_own(cosines, classes), own, others)


def _own(cosines: Tensor, classes: Tensor) -> Tensor:
    return classes[:, None] == torch.arange(cosines.shape[1], device=classes.device)
