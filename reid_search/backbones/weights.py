"""Pretrained weights of a backbone from a file."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from reid_search.backbones.config import BackboneConfig
from reid_search.errors import StudyError


def load_weights(network: nn.Module, config: BackboneConfig, path: Path, *, but: tuple[str, ...] = ()) -> None:
    """Fill a network with the weights of a file.

    Args:
        network: The network; its tensors have the names of the file.
        config: Its config.
        path: The file: `.safetensors`, or `.pth` without pickled code.
        but: Prefixes of tensors that stay as they are, such as those of a classifier that the backbone omits.

    Raises:
        StudyError: The file cannot be read or does not fit.
    """
    state = {key: value for key, value in _read(path, config.weights_form).items() if not key.startswith(but)}
    expected = {key: value for key, value in network.state_dict().items() if not key.startswith(but)}
    misfit = _misfit(state, expected, config.body)
    if misfit:
        raise StudyError(f"model.weights: {path}: {misfit}, so it holds no weights of {config.name}")
    network.load_state_dict({**network.state_dict(), **{key: state[key] for key in expected if key in state}})


def _misfit(state: Mapping[str, Tensor], expected: Mapping[str, Tensor], body: tuple[str, ...]) -> str | None:
    """Say why weights do not fit; modules that no backbone has, such as a projector, are ignored."""
    missing = sorted(key for key in set(expected) - set(state) if not key.endswith("num_batches_tracked"))
    if missing:
        return f"lacks {missing[0]}"
    wrong = sorted(key for key, value in expected.items() if key in state and state[key].shape != value.shape)
    if wrong:
        return f"has {wrong[0]} of another shape"
    deeper = sorted(key for key in set(state) - set(expected) if key.startswith(body))
    return f"has {deeper[0]} as well" if deeper else None


def _read(path: Path, form: str) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise StudyError(f"model.weights: {path}: no such file") from None
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        raise StudyError(f"model.weights: {path}: not a weights file ({type(error).__name__}: {reason})") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise StudyError(f"model.weights: {path}: holds no state dict ({form})")
    return state
