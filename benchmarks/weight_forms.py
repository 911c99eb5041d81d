"""Forms of weights × families of backbones: how many tensors of each file arrive as they were saved.

A second table has files whose tensors go by other names than their network's source gives them.

    uv run python benchmarks/weight_forms.py             # the smallest backbones of every family
    uv run python benchmarks/weight_forms.py resnet50

Each form is written from a random network with the names that its source gives the tensors; nothing is downloaded.
"""

import argparse
import re
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
    "image_encoder": lambda state: {
        **_under("image_encoder.", state),
        "classifier_proj.weight": torch.ones(7, 5),
    },
    "half": lambda state: {name: value.half() if value.is_floating_point() else value for name, value in state.items()},
}
SUFFIXES = {"torchreid": ".pth.tar", "model": ".pt"}


def _renamed(state: State, *rules: tuple[str, str]) -> dict[str, Tensor]:
    """Return the tensors by other names; every rule is applied to every name."""
    found = {}
    for name, value in state.items():
        for pattern, new in rules:
            name = re.sub(pattern, new, name)
        found[name] = value
    return found


def _as_microsoft(state: State) -> dict[str, Tensor]:
    """Return Swin's tensors as microsoft/Swin-Transformer names them: a stage ends with its downsampling."""
    earlier = [(rf"^layers\.{stage}\.downsample", f"layers.{stage - 1}.downsample") for stage in (1, 2, 3)]
    return _renamed(state, *earlier)


def _as_mmcv(state: State) -> dict[str, Tensor]:
    """Return Swin's tensors as `swin_converter` of mmdetection and SOLIDER makes them of Microsoft's."""
    found = {}
    for name, value in _as_microsoft(state).items():
        name = re.sub(r"^norm\.", "norm3.", name.replace("patch_embed.proj", "patch_embed.projection"))
        name = name.replace("layers", "stages", 1).replace("attn.", "attn.w_msa.")
        name = name.replace("mlp.fc1.", "ffn.layers.0.0.").replace("mlp.fc2.", "ffn.layers.1.")
        if ".downsample." in name:
            cells = value.reshape(*value.shape[:-1], 4, value.shape[-1] // 4)[..., [0, 2, 1, 3], :]
            value = cells.transpose(-1, -2).reshape(value.shape)
        found[name] = value
    return found


def _as_clip(state: State) -> dict[str, Tensor]:
    """Return a vision transformer's tensors as openai/CLIP names them in its visual tower."""
    found = _renamed(
        state,
        (r"^patch_embed\.proj", "conv1"),
        (r"^cls_token", "class_embedding"),
        (r"^pos_embed", "positional_embedding"),
        (r"^norm_pre", "ln_pre"),
        (r"^norm\.", "ln_post."),
        (r"^blocks\.", "transformer.resblocks."),
        (r"\.norm([12])\.", r".ln_\1."),
        (r"\.attn\.qkv\.", ".attn.in_proj_"),
        (r"\.attn\.proj\.", ".attn.out_proj."),
        (r"\.mlp\.fc1\.", ".mlp.c_fc."),
        (r"\.mlp\.fc2\.", ".mlp.c_proj."),
    )
    flat = {"class_embedding": found["class_embedding"].flatten()}
    return found | flat | {"positional_embedding": found["positional_embedding"][0], "proj": torch.ones(5, 4)}


def _with_jigsaw(state: State) -> dict[str, Tensor]:
    """Return what TransReID saves with its jigsaw branch: the trained last block and norm are copies."""
    last = {name: value for name, value in state.items() if re.match(r"blocks\.11\.|norm\.", name)}
    copies = _renamed(last, (r"^blocks\.11\.", "0."), (r"^norm\.", "1."))
    untrained = _under("base.", {**state, **_other(last)})
    others = {"base.sie_embed": torch.ones(6, 1, 192), "bottleneck_1.weight": torch.ones(5)}
    return {**untrained, **_under("b1.", copies), **_under("b2.", _other(copies)), **others}


def _with_part_tokens(state: State) -> dict[str, Tensor]:
    """Return what PASS saves: a position for each of its tokens, apart from the table of the patches."""
    tokens = {
        name: torch.ones(1, 1, 192) for kind in ("part_token{}", "part{}_pos") for name in map(kind.format, "123")
    }
    table = state["pos_embed"]
    return {**state, "cls_pos": table[:, :1], "pos_embed": table[:, 1:], **tokens}


def _in_branches(state: State) -> dict[str, Tensor]:
    """Return a ResNet's tensors as fast-reid's MGN has them: three branches from the second block of layer3 on."""
    trunk = (
        (r"^conv1\.", "0."),
        (r"^bn1\.", "1."),
        (r"^layer1\.", "4."),
        (r"^layer2\.", "5."),
        (r"^layer3\.0\.", "6."),
    )
    later = [name for name in state if re.match(r"layer4\.|layer3\.(?!0\.)", name)]
    first = {name: value for name, value in state.items() if name not in later}
    numbered = [(rf"^layer3\.{number}\.", f"0.{number - 1}.") for number in range(1, 36)]
    branch = _renamed({name: state[name] for name in later}, *numbered, (r"^layer4\.", "1."))
    others = {**_under("b2.", _other(branch)), **_under("b3.", _other(branch)), "b1_head.weight": torch.ones(7, 5)}
    return {**_under("backbone.", _renamed(first, *trunk)), **_under("b1.", branch), **others}


# Whose names: a backbone to show them with, and the file.
PUBLISHED: Mapping[str, tuple[str, Callable[[State], object]]] = {
    "Swin-Transformer": (
        "swin_tiny_patch4_window7_224",
        lambda state: {
            "model": {
                **_as_microsoft(state),
                "layers.0.blocks.1.attn_mask": torch.zeros(4, 49, 49),
                "layers.0.blocks.0.attn.relative_position_index": torch.zeros(49, 49, dtype=torch.long),
                "head.weight": torch.ones(7, 5),
            }
        },
    ),
    "SOLIDER": (
        "swin_tiny_patch4_window7_224",
        lambda state: {
            "student": _under("module.backbone.", _as_mmcv(_other(state))),
            "teacher": {
                **_under("backbone.", _as_mmcv(state)),
                **_under(
                    "backbone.", {"norm0.weight": torch.ones(96), "semantic_embed_w.0.weight": torch.ones(192, 2)}
                ),
                "head.mlp.0.weight": torch.ones(3, 4),
            },
        },
    ),
    "SOLIDER-REID": (
        "swin_tiny_patch4_window7_224",
        lambda state: {**_under("base.", _as_mmcv(state)), "classifier.weight": torch.ones(7, 5)},
    ),
    "OpenAI's CLIP": (
        "vit_base_patch16_clip_quickgelu_224",
        lambda state: {
            **_under("visual.", _as_clip(state)),
            **{f"transformer.resblocks.{index}.ln_1.weight": torch.ones(8) for index in range(12)},
            "transformer.resblocks.0.attn.in_proj_weight": torch.ones(24, 8),
            "positional_embedding": torch.ones(77, 8),
            "logit_scale": torch.ones([]),
        },
    ),
    "CLIP-ReID": (
        "vit_base_patch16_clip_quickgelu_224",
        lambda state: {
            **_under("image_encoder.", _as_clip(state)),
            **_under("text_encoder.", {"transformer.resblocks.0.ln_1.weight": torch.ones(8)}),
            "prompt_learner.cls_ctx": torch.ones(7, 4, 8),
            "cv_embed": torch.ones(6, 768),
            "classifier_proj.weight": torch.ones(7, 5),
        },
    ),
    "TransReID's jigsaw branch": ("vit_tiny_patch16_224", lambda state: _under("module.", _with_jigsaw(state))),
    "PASS": (
        "vit_tiny_patch16_224",
        lambda state: {
            "teacher": _under("backbone.", _with_part_tokens(state)),
            "student": _under("module.backbone.", _with_part_tokens(_other(state))),
        },
    ),
    "fast-reid's MGN": ("resnet18", lambda state: {"model": _in_branches(state), "iteration": 9}),
    "fast-reid's MGN, IBN": ("resnet18_ibn_a", lambda state: {"model": _in_branches(state)}),
}


def written(form: str, state: State, folder: Path) -> Path:
    """Write a file of a form."""
    path = folder / f"{re.sub('[^-a-z]', '_', form.lower())}{SUFFIXES.get(form, '.pth')}"
    torch.save(PUBLISHED[form][1](state) if form in PUBLISHED else FORMS[form](state), path)
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
    print("\n| names of | backbone | |\n|---|---|---|")
    for form, (name, _) in PUBLISHED.items():
        with tempfile.TemporaryDirectory() as folder:
            print(f"| {form} | {name} |", "{} of {} |".format(*equal_tensors(name, form, Path(folder))))


if __name__ == "__main__":
    main(sys.argv[1:])
