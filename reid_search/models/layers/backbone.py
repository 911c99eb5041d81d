"""ResNets as a list of named blocks, so that they can be split anywhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import resnet
from torchvision.models.resnet import BasicBlock

from reid_search.errors import StudyError

_THIN_WIDTHS = (16, 32, 64, 128)


def build_blocks(name: str, weights: Path | None) -> nn.Sequential:
    """Return a ResNet without its head as blocks named `stem`, `layer1_0`, `layer1_1`, …, `layer4_2`.

    Args:
        name: Name of the backbone.
        weights: File with pretrained weights.

    Raises:
        StudyError: The weights cannot be read or do not fit.
    """
    network: Any = _ThinResNet() if name == "resnet10_thin" else getattr(resnet, name)(weights=None)
    if weights is not None:
        _load(network, name, weights)
    stem = nn.Sequential(network.conv1, network.bn1, nn.ReLU(inplace=True))
    if name != "resnet10_thin":
        stem.append(network.maxpool)
    blocks = nn.Sequential()
    blocks.add_module("stem", stem)
    for layer in ("layer1", "layer2", "layer3", "layer4"):
        for index, block in enumerate(getattr(network, layer)):
            blocks.add_module(f"{layer}_{index}", block)
    return blocks


def set_last_stride(blocks: nn.Sequential, stride: int) -> None:
    """Give the first block of `layer4` another stride; its weights stay as they are."""
    block: Any = blocks.get_submodule("layer4_0")
    first = "conv2" if isinstance(block, resnet.Bottleneck) else "conv1"
    for convolution in (getattr(block, first), block.downsample[0]):
        convolution.stride = (stride, stride)


def split_blocks(blocks: nn.Sequential, after: str) -> tuple[nn.Sequential, nn.Sequential]:
    """Cut blocks in two.

    Args:
        blocks: All blocks.
        after: Last shared layer or block, `layer2`, `layer3.0`; `input` shares nothing.
    """
    names = [name for name, _ in blocks.named_children()]
    cut = 0
    if after != "input":
        wanted = after.replace(".", "_")
        cut = 1 + max(index for index, name in enumerate(names) if name == wanted or name.startswith(f"{wanted}_"))
    parts = (nn.Sequential(), nn.Sequential())
    for index, (name, block) in enumerate(blocks.named_children()):
        parts[index >= cut].add_module(name, block)
    return parts


class _ThinResNet(nn.Module):
    """A ResNet of four basic blocks and 16 to 128 channels for small images."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, _THIN_WIDTHS[0], 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(_THIN_WIDTHS[0])
        width = _THIN_WIDTHS[0]
        for index, wider in enumerate(_THIN_WIDTHS, start=1):
            self.add_module(f"layer{index}", nn.Sequential(_basic_block(width, wider, stride=1 if index == 1 else 2)))
            width = wider
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def _basic_block(width: int, wider: int, stride: int) -> BasicBlock:
    downsample = None
    if stride != 1 or width != wider:
        downsample = nn.Sequential(nn.Conv2d(width, wider, 1, stride=stride, bias=False), nn.BatchNorm2d(wider))
    return BasicBlock(width, wider, stride=stride, downsample=downsample)


def _load(network: nn.Module, name: str, path: Path) -> None:
    state = {key: value for key, value in _read(path).items() if not key.startswith("fc.")}
    expected = {key: value for key, value in network.state_dict().items() if not key.startswith("fc.")}
    misfit = _misfit(state, expected)
    if misfit:
        raise StudyError(f"model.weights: {path}: {misfit}, so it holds no weights of {name}")
    network.load_state_dict({**network.state_dict(), **{key: state[key] for key in expected if key in state}})


def _misfit(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str | None:
    """Say what keeps weights from fitting; modules that no backbone has, such as a projector, are passed over."""
    missing = sorted(key for key in set(expected) - set(state) if not key.endswith("num_batches_tracked"))
    if missing:
        return f"lacks {missing[0]}"
    wrong = sorted(key for key, value in expected.items() if key in state and state[key].shape != value.shape)
    if wrong:
        return f"has {wrong[0]} of another shape"
    deeper = sorted(key for key in set(state) - set(expected) if key.startswith("layer"))
    return f"has {deeper[0]} as well" if deeper else None


def _read(path: Path) -> dict[str, Tensor]:
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
        raise StudyError(f"model.weights: {path}: holds no state dict (tensors by torchvision's names)")
    return state
