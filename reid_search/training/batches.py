"""Turns arrays into the batches that a network takes and the targets that its losses take."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reid_search.data import Samples
from reid_search.losses import Targets
from reid_search.models import Batch
from reid_search.study.trial.normalization import IMAGENET, Normalization


def to_batch(samples: Samples, device: torch.device, normalization: Normalization = IMAGENET) -> Batch:
    """Return images, normalised as the model's weights were trained, and their side-cars."""
    images = _on_device(samples.pixels, device)
    mean, std = (
        torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (normalization.mean, normalization.std)
    )
    normalised = images.permute(0, 3, 1, 2).float().div_(255).sub_(mean).div_(std)
    return Batch(
        normalised.contiguous(memory_format=memory_format(device)),
        maps=None if samples.maps is None else _on_device(samples.maps, device).float().div_(255),
        keypoints=None if samples.keypoints is None else _on_device(samples.keypoints, device),
        attributes=None if samples.attributes is None else _on_device(samples.attributes, device),
    )


def targets_of(batch: Batch, classes: npt.NDArray[np.int64]) -> Targets:
    """Return what the losses may look at; `classes` `(B,)` are those of the batch's images."""
    identities = _on_device(classes, batch.images.device)
    return Targets(identities, batch.attributes, batch.maps, batch.keypoints, batch.image_size)


def memory_format(device: torch.device) -> torch.memory_format:
    """Return the memory format of images and weights.

    Channels last is faster on a CPU. On a GPU it would sum the gradient of max pooling by atomic additions, whose order
    varies from run to run.
    """
    return torch.channels_last if device.type == "cpu" else torch.contiguous_format


def _on_device(values: npt.NDArray[np.generic], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).to(device, non_blocking=True)
