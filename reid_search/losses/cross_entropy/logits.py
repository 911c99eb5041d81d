"""Logits made of the cosines between features and classes."""

import torch
from torch import Tensor


def cosine_logits(cosines: Tensor, classes: Tensor, scale: float, margin: float) -> Tensor:
    """Take a margin off the cosine of each image's own class (CosFace, Wang et al. 2018, equation 4).

    Cosines `(B, C)` in [-1, 1] and classes `(B,)` make logits `(B, C)`; `scale` is their factor.
    """
    return scale * torch.where(_own(cosines, classes), cosines - margin, cosines)


def circle_logits(cosines: Tensor, classes: Tensor, scale: float, margin: float) -> Tensor:
    """Weigh each cosine by its distance from its optimum (Sun et al. 2020, equations 4 to 8); shapes as above.

    The optimum is 1 + m for the own class and -m for the others, the decision margins are 1 - m and m. No gradient
    passes through the weights.
    """
    constant = cosines.detach()
    own = (1 + margin - constant).relu() * (cosines - (1 - margin))
    others = (constant + margin).relu() * (cosines - margin)
    return scale * torch.where(_own(cosines, classes), own, others)


def _own(cosines: Tensor, classes: Tensor) -> Tensor:
    return classes[:, None] == torch.arange(cosines.shape[1], device=classes.device)
