"""Names that published code gives tensors: every one arrives, in the order in which the network computes."""

import importlib.util
from pathlib import Path

import pytest
import torch
from timm.models.swin_transformer import PatchMerging
from torch.nn import functional
from torch.testing import assert_close

from reid_search.backbones import build_backbone
from reid_search.backbones.weights.published import PUBLISHED
from reid_search.errors import StudyError
from reid_search.study.trial.weights import WeightsConfig

_PATH = Path(__file__).parents[3] / "benchmarks" / "weight_forms.py"
_SPEC = importlib.util.spec_from_file_location("weight_forms", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
table = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(table)

HALVES = "mean 0.5 0.5 0.5, deviation 0.5 0.5 0.5"
CLIP = "mean 0.4815 0.4578 0.4082, deviation 0.2686 0.2613 0.2758"
# What a load says of each: whose names they are, and how the authors normalised where it was not as on ImageNet.
SAID = {
    "Swin-Transformer": ("Swin-Transformer", None),
    "SOLIDER": ("SOLIDER", HALVES),
    "SOLIDER-REID": ("SOLIDER", HALVES),
    "OpenAI's CLIP": ("CLIP", CLIP),
    "CLIP-ReID": ("CLIP", HALVES),
    "TransReID's jigsaw branch": ("TransReID's jigsaw branch", HALVES),
    "PASS": ("PASS", HALVES),
    "fast-reid's MGN": ("fast-reid's MGN", None),
    "fast-reid's MGN, IBN": ("fast-reid's MGN", None),
}


# CLIP has 86 million parameters, and no smaller network of its kind is published.
large = pytest.mark.slow
FORMS = [pytest.param(form, marks=[large] * ("CLIP" in form)) for form in table.PUBLISHED]


def _loaded(form: str, folder: Path, **settings):
    name, _ = table.PUBLISHED[form]
    path = table.written(form, table.source(name).state, folder)
    return build_backbone(name, WeightsConfig(file=path, **settings), table.last_stride(name))


@pytest.mark.parametrize("form", FORMS)
def test_published_names_arrive_tensor_by_tensor(form, tmp_path):
    backbone = _loaded(form, tmp_path)
    wanted, report = table.source(table.PUBLISHED[form][0]).backbone.state_dict(), backbone.pretrained.report
    assert_close(backbone.state_dict(), wanted, rtol=0, atol=0)
    assert report.random == ()
    assert report.parameters == report.all_parameters
    content = table.PUBLISHED[form][1](table.source(report.backbone).state)
    for step in report.wrapper:
        content = content[step]
    assert sorted([*report.tensors, *report.dropped]) == sorted(content), "every tensor is taken or named"
    source, normalization = SAID[form]
    assert report.named_as == source
    lines = list(report.lines())
    assert any(line.endswith(f"by the names of {source}") for line in lines)
    told = [line for line in lines if "published weights" in line]
    note = f"NOTE: published weights of {source} have {normalization}; if these do, give it as `mean` and `std`"
    assert told == ([note] if normalization else [])


def test_the_usual_normalisation_is_not_told_where_the_study_says_one(tmp_path):
    report = _loaded("PASS", tmp_path, mean=[0.5] * 3, std=[0.25] * 3).pretrained.report
    assert not any("published weights" in line for line in report.lines())


def test_a_file_of_a_backbone_that_is_published_with_another_normalisation_says_so(tmp_path):
    path = table.written("plain", table.source("vit_tiny_patch16_224").state, tmp_path)
    lines = list(build_backbone("vit_tiny_patch16_224", path, 1).pretrained.report.lines())
    note = f"NOTE: published weights of vit_tiny_patch16_224 have {HALVES}; if these do, give it as `mean` and `std`"
    assert note in lines


@pytest.mark.parametrize(
    ("form", "branch", "tensor"),
    [("fast-reid's MGN", "b3", "layer4_1.bn2.bias"), ("TransReID's jigsaw branch", "b2", "norm.bias")],
)
def test_another_branch_is_taken_where_the_study_says_so(form, branch, tensor, tmp_path):
    wanted = table.source(table.PUBLISHED[form][0]).backbone.state_dict()
    assert branch in _loaded(form, tmp_path).pretrained.report.alternatives
    taken = _loaded(form, tmp_path, take=branch)
    assert_close(taken.state_dict()[tensor], wanted[tensor] + 1, rtol=0, atol=0)
    assert taken.pretrained.report.alternatives == ()


def test_clip_is_refused_by_a_transformer_that_computes_something_else(tmp_path):
    state = table.source("vit_tiny_patch16_224").state
    path = tmp_path / "clip.pth"
    norm = {"norm_pre.weight": torch.ones(192), "norm_pre.bias": torch.ones(192)}
    torch.save({f"visual.{name}": value for name, value in table._as_clip({**state, **norm}).items()}, path)
    with pytest.raises(StudyError) as caught:
        build_backbone("vit_tiny_patch16_224", path, 1)
    lacks = "has the tensors of CLIP, and vit_tiny_patch16_224 lacks the norm before its blocks and its kind of GELU"
    allowed = "allowed: backbone vit_base_patch16_clip_quickgelu_224"
    assert str(caught.value) == f"model.weights: {path}: {lacks}; {allowed}"


@large
def test_clip_computes_what_its_authors_compute(tmp_path):
    """The visual tower of openai/CLIP in functions of torch, with the file's own names, on images of another size."""
    name = "vit_base_patch16_clip_quickgelu_224"
    path = table.written("OpenAI's CLIP", table.source(name).state, tmp_path)
    state = {key.removeprefix("visual."): item for key, item in torch.load(path).items() if key.startswith("visual.")}
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        tokens = functional.conv2d(images, state["conv1.weight"], stride=16).flatten(2).transpose(1, 2)
        tokens = torch.cat([state["class_embedding"].expand(1, 1, -1), tokens], dim=1) + state["positional_embedding"]
        tokens = _norm(tokens, state, "ln_pre")
        for index in range(12):
            block = f"transformer.resblocks.{index}"
            normed = _norm(tokens, state, f"{block}.ln_1").transpose(0, 1)
            attended, _ = functional.multi_head_attention_forward(
                *(normed, normed, normed, 768, 12),
                *(state[f"{block}.attn.in_proj_{kind}"] for kind in ("weight", "bias")),
                *(None, None, False, 0.0),
                *(state[f"{block}.attn.out_proj.{kind}"] for kind in ("weight", "bias")),
                need_weights=False,
            )
            tokens = tokens + attended.transpose(0, 1)
            hidden = _linear(_norm(tokens, state, f"{block}.ln_2"), state, f"{block}.mlp.c_fc")
            tokens = tokens + _linear(hidden * torch.sigmoid(1.702 * hidden), state, f"{block}.mlp.c_proj")
        wanted = _norm(tokens, state, "ln_post")[:, 1:].transpose(1, 2).reshape(1, 768, 14, 14)
        found = build_backbone(name, path, 1).eval()(images)
    scale = wanted.abs().max()
    assert scale > 1e-2
    assert_close(found / scale, wanted / scale, rtol=0, atol=1e-5)


def _linear(features, state, name):
    return functional.linear(features, state[f"{name}.weight"], state[f"{name}.bias"])


def _norm(features, state, name):
    return functional.layer_norm(features, features.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], 1e-5)


def test_patches_are_merged_as_by_unfold():
    """A merging trained on what `unfold` returns gives the same in timm's order, once its tensors are reordered."""
    generator = torch.Generator().manual_seed(1)
    channels, maps = 3, torch.randn(2, 3, 6, 4, generator=generator)
    weight, gain, shift = (torch.randn(*size, 12, generator=generator) for size in ((6,), (), ()))
    unfolded = functional.unfold(maps, 2, stride=2).transpose(1, 2)
    wanted = functional.linear(functional.layer_norm(unfolded, (12,), gain, shift), weight).unflatten(1, (3, 2))
    merging = PatchMerging(channels)
    solider = next(kind for kind in PUBLISHED if kind.source == "SOLIDER")
    given = {"reduction.weight": weight, "norm.weight": gain, "norm.bias": shift}
    ordered = {name: solider.value(f"layers.1.downsample.{name}", [item]) for name, item in given.items()}
    merging.load_state_dict(ordered)
    assert_close(merging(maps.permute(0, 2, 3, 1)), wanted, rtol=1e-5, atol=1e-5)
