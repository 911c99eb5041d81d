"""Forms of weights × families of backbones: how many tensors of each file arrive as they were saved.

    uv run python benchmarks/weight_forms.py             # the smallest backbones of every family
    uv run python benchmarks/weight_forms.py resnet50

Each form is written from a random network with the names that its source gives the tensors; nothing is downloaded.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from reid_search.backbones import Backbone, backbone_config, build_backbone
from reid_search.backbones.weights import Weights
from reid_search.study import BACKBONES

State = Mapping[str, Tensor]


def _under(prefix: str, state: State) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}


def _other(state: State) -> dict[str, Tensor]:
    return {name: value + 1 for name, value in state.items()}


FORMS: Mapping[str, Callable[[State], object]] = {
    "plain": dict,
    "state_dict": lambda state: {"state_dict": dict(state), "epoch": 3, "optimizer": {"state": {}}},
    "model": lambda state: {"model": dict(state), "iteration": 9},
    "nested": lambda state: {"model": {"state_dict": {"net": _under("module.", state)}}},
    "parallel": lambda state: _under("module.", state),
    "compiled": lambda state: _under("_orig_mod.", state),
    "averaged": lambda state: {"state_dict": _other(state), "state_dict_ema": dict(state)},
    "model_ema": lambda state: {"model": _other(state), "model_ema": dict(state)},
    "fast-reid": lambda state: {
        "model": {
            **_under("backbone.", state),
            "heads.weight": torch.ones(7, 5),
            "heads.bottleneck.0.bias": torch.zeros(5),
        },
        "scheduler": {"last_epoch": 2},
    },
    "torchreid": lambda state: {
        "state_dict": {**_under("module.", state), "module.classifier.weight": torch.ones(7, 5)},
        "rank1": np.float64(0.9),
    },
    "reid-strong-baseline": lambda state: {
        **_under("base.", state),
        "bottleneck.weight": torch.ones(5),
        "classifier.weight": torch.ones(7, 5),
    },
    "TransReID": lambda state: {
        **_under("module.base.", state),
        **_under("module.b1.0.", {"norm1.weight": torch.ones(5)}),
        "module.classifier_1.weight": torch.ones(7, 5),
    },
    "DINO": lambda state: {
        "student": _under("module.backbone.", _other(state)),
        "teacher": {**_under("backbone.", state), "head.last_layer.weight_v": torch.ones(3, 4)},
        "args": argparse.Namespace(arch="resnet50"),
    },
    "PersonViT": lambda state: {
        "target_encoder": _under("module.", state),
        "encoder": _under("module.", _other(state)),
    },
    "LUPerson": lambda state: {
        "state_dict": {
            **_under("module.encoder_q.", state),
            **_under("module.encoder_k.", _other(state)),
            "module.encoder_q.fc.0.weight": torch.ones(3, 4),
            "module.queue": torch.ones(4, 9),
            "module.queue_ptr": torch.zeros(1),
        },
        "optimizer": {"state": {}},
    },
    "CLIP-ReID": lambda state: {**_under("image_encoder.", state), "classifier_proj.weight": torch.ones(7, 5)},
    "half": lambda state: {name: value.half() if value.is_floating_point() else value for name, value in state.items()},
}
SUFFIXES = {"torchreid": ".pth.tar", "model": ".pt"}


def written(form: str, state: State, folder: Path) -> Path:
    """Write a file of a form."""
    path = folder / f"{form}{SUFFIXES.get(form, '.pth')}"
    torch.save(FORMS[form](state), path)
    return path


def written_as_safetensors(state: State, folder: Path) -> Path:
    """Write a safetensors file."""
    path = folder / "weights.safetensors"
    save_file({name: value.contiguous().clone() for name, value in state.items()}, path)
    return path


# The smallest of each family; a family that lands later is found by itself.
SMALLEST = {
    "ResNetConfig": ("resnet10_thin", "resnet18_ibn_a", "resnet18_ibn_b"),
    "ConvNeXtConfig": ("convnext_atto",),
    "ViTConfig": ("vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224"),
    "SwinConfig": ("swin_tiny_patch4_window7_224",),
    "OSNetConfig": ("osnet_x0_25",),
    "ResNeStConfig": ("resnest14d",),
}


def families() -> list[str]:
    """Return the smallest backbones of every family there is."""
    known: dict[str, list[str]] = {}
    for name in BACKBONES.names():
        known.setdefault(BACKBONES.config_class(name).__name__, []).append(name)
    chosen = [name for family, names in known.items() for name in SMALLEST.get(family, names[:1]) if name in names]
    return sorted(chosen)


class Source:
    """A random network of a backbone, with the names that its source gives the tensors."""

    def __init__(self, name: str) -> None:
        self.named: dict[str, torch.Tensor] = {}
        seen = self.named

        class Listening(Weights):
            def __init__(self) -> None:
                pass

            def fill(self, network: torch.nn.Module, but: tuple[str, ...]) -> None:
                seen.update(
                    {key: item for key, item in network.state_dict(keep_vars=True).items() if not key.startswith(but)}
                )

        config = backbone_config(name)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.backbone: Backbone = BACKBONES.work_module(config).build(config, Listening())
            with torch.no_grad():
                for item in (*self.backbone.parameters(), *self.backbone.buffers()):
                    if item.is_floating_point():
                        item.add_(torch.rand(item.shape) / 10)
        self.state = {key: item.detach() for key, item in self.named.items()}


source = cache(Source)


def last_stride(name: str) -> int:
    """Return a last stride that a backbone can have."""
    return int(getattr(backbone_config(name), "last_strides", (1,))[0])


def equal_tensors(name: str, form: str, folder: Path) -> tuple[int, int]:
    """Write a form, load it, and return how many tensors of the backbone equal the source's, and how many there are."""
    state = source(name).state
    path = written_as_safetensors(state, folder) if form == "safetensors" else written(form, state, folder)
    found = build_backbone(name, path, last_stride(name)).state_dict()
    wanted = source(name).backbone.state_dict()
    if form == "half":
        wanted = {key: item.half().to(item.dtype) if item.is_floating_point() else item for key, item in wanted.items()}
    return sum(torch.equal(item, wanted[key]) for key, item in found.items()), len(wanted)


def main(names: list[str]) -> None:
    """Print the table, a row a form."""
    names = names or families()
    print("| form |", " | ".join(names), "|")
    print("|---" * (1 + len(names)) + "|")
    for form in (*FORMS, "safetensors"):
        with tempfile.TemporaryDirectory() as folder:
            cells = ["{} of {}".format(*equal_tensors(name, form, Path(folder))) for name in names]
        print(f"| {form} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main(sys.argv[1:])
