"""From cached pixels to what a network takes."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


def to_tensor(pixels: npt.NDArray[np.uint8], device: torch.device) -> Tensor:
    """Return images as `(B, 3, H, W)`, normalised with mean and deviation of ImageNet.

    Args:
        pixels: `(B, H, W, 3)`.
        device: Where they go.
    """
    images = torch.from_numpy(np.ascontiguousarray(pixels)).to(device, non_blocking=True)
    mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (_MEAN, _STD))
    normalised = images.permute(0, 3, 1, 2).float().div_(255).sub_(mean).div_(std)
    return normalised.contiguous(memory_format=memory_format(device))


def memory_format(device: torch.device) -> torch.memory_format:
    """Return how images and weights lie in memory.

    Channels last is faster on a CPU. On a GPU the gradient of max pooling would then be summed by atomic additions, in
    another order each time.
    """
    return torch.channels_last if device.type == "cpu" else torch.contiguous_format
