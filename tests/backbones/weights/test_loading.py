"""What of a file is taken, what is named, and what is an error."""

import pickle
import zipfile

import pytest
import torch
from torch.testing import assert_close
from torchvision.models import resnet18, resnet34

from reid_search.backbones import BackboneConfig, Block, build_backbone
from reid_search.backbones.weights import examine_weights, examining
from reid_search.backbones.weights.positions import fitted
from reid_search.common.elsewhere import answer_elsewhere
from reid_search.errors import StudyError
from reid_search.study import ARCHITECTURES
from reid_search.study.trial.weights import WeightsConfig


@pytest.fixture(scope="module")
def state():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return resnet18(weights=None).state_dict()


def _loaded(path, **settings):
    backbone = build_backbone("resnet18", WeightsConfig(file=path, **settings), 1)
    return backbone, backbone.pretrained.report


def _broken(kind, state, path):
    match kind:
        case "empty":
            path.write_bytes(b"")
        case "page":
            path.write_text("<!DOCTYPE html><html><body>Sign in to download</body></html>")
        case "pointer":
            path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
        case "script":
            torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
        case "cut":
            torch.save(state, path)
            path.write_bytes(path.read_bytes()[:-2000])
        case "nan" | "infinite":
            value = float("nan" if kind == "nan" else "inf")
            torch.save({**state, "layer1.0.bn1.weight": torch.full((64,), value)}, path)
        case "variance":
            torch.save({**state, "layer1.0.bn1.running_var": torch.full((64,), -1.0)}, path)
        case "beyond":
            torch.save({**state, "layer1.0.bn1.weight": torch.full((64,), 1e300, dtype=torch.float64)}, path)
        case "bytes" | "truths":
            kind = torch.int8 if kind == "bytes" else torch.bool
            torch.save({**state, "layer1.0.conv1.weight": torch.ones(64, 64, 3, 3, dtype=kind)}, path)
        case "complex":
            torch.save({**state, "fc.weight": torch.zeros(2, 2, dtype=torch.complex64)}, path)
        case "sparse":
            torch.save({**state, "layer1.0.bn1.weight": torch.ones(64).to_sparse()}, path)
        case "meta":
            torch.save({**state, "layer1.0.bn1.weight": torch.ones(64, device="meta")}, path)
        case "circle":
            content = {}
            content["model"] = content
            torch.save(content, path)
        case "deeper":
            torch.save(resnet34(weights=None).state_dict(), path)
        case "text":
            path.write_text('{"status": "finished", "größe": 3}')
        case "pickle":
            path.write_bytes(pickle.dumps({"epoch": 3}, protocol=4))
        case "archive":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("a", "b")
        case "list":
            torch.save([1, 2], path)
        case "one value":
            torch.save({**state, "layer1.0.bn1.bias": torch.zeros(1)}, path)
        case "half a layer":
            torch.save({name: value for name, value in state.items() if name != "layer1.0.bn1.bias"}, path)
        case "fourth layer":
            torch.save({name: value for name, value in state.items() if not name.startswith("layer4")}, path)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", "not a weights file, but empty"),
        ("page", "not a weights file, but a web page; the download failed"),
        ("pointer", "a pointer to it; `git lfs pull`"),
        ("script", "a TorchScript archive, which runs code"),
        ("cut", r"cut off or damaged.*; allowed: what torch or safetensors saved \(\.pth, .*\.safetensors\)$"),
        ("text", "not a weights file, but text; allowed: what torch or safetensors saved"),
        ("pickle", r"not a weights file, .*cut off or damaged.*; allowed"),
        ("archive", "not a weights file, or cut off or damaged; allowed"),
        ("list", r"holds no state dict \(a list\); allowed: tensors by name"),
        ("beyond", r"holds a value in layer1\.0\.bn1\.weight that is beyond torch\.float32"),
        ("bytes", r"has layer1\.0\.conv1\.weight as torch\.int8"),
        ("truths", r"has layer1\.0\.conv1\.weight as torch\.bool"),
        ("complex", r"holds fc\.weight, a tensor that is complex"),
        ("sparse", r"holds layer1\.0\.bn1\.weight, a tensor that is sparse"),
        ("meta", r"holds layer1\.0\.bn1\.weight, a tensor that is without values"),
        ("circle", "holds an entry that holds itself"),
        ("nan", r"holds NaN in layer1\.0\.bn1\.weight"),
        ("infinite", r"holds infinite values in layer1\.0\.bn1\.weight"),
        ("variance", r"negative variance in layer1\.0\.bn1\.running_var"),
        ("deeper", r"has layer1\.2\.bn1\.bias as well, so it holds no weights of resnet18; take another file, or"),
        ("one value", r"has layer1\.0\.bn1\.bias of another shape, .*\(1,\) for \(64,\)"),
        ("half a layer", r"lacks layer1\.0\.bn1\.bias, .*though it has layer1\.0\.bn1\."),
        ("fourth layer", r"lacks layer4\.0\.conv1\.weight and [0-9]+ more tensors, 75% of the parameters.*may_leave"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_wrong_file_is_one_message_whatever_its_name(kind, message, suffix, state, tmp_path):
    path = tmp_path / f"weights{suffix}"
    _broken(kind, state, path)
    with pytest.raises(StudyError, match=message) as caught:
        _loaded(path)
    assert str(caught.value).startswith(f"model.weights: {path}: ")
    assert "\n" not in str(caught.value)
    assert "weights_only" not in str(caught.value), "torch's advice is to run what the file holds"


def _under(prefix, state):
    return {f"{prefix}{name}": value for name, value in state.items()}


@pytest.mark.parametrize("prefix", ["model.encoder.", "cnn.", "reid.net.trunk."])
def test_a_network_in_a_module_of_any_name_is_taken_and_its_place_is_said(prefix, state, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": _under(prefix, state) | {"reid.head.weight": torch.zeros(2, 2)}}, path)
    backbone, report = _loaded(path)
    assert "".join(report.prefixes) == prefix
    assert "without the prefix '" in "\n".join(report.lines())
    assert "reid.head.weight" in report.dropped
    assert report.parameters == report.all_parameters
    assert_close(backbone.layer3_1.conv1.weight, state["layer3.1.conv1.weight"], rtol=0, atol=0)


def test_of_a_network_in_two_modules_of_any_name_one_has_to_be_asked_for(state, tmp_path):
    path, doubled = tmp_path / "weights.pth", {name: 2 * value for name, value in state.items()}
    torch.save(_under("pair.one.", state) | _under("pair.two.", doubled), path)
    with pytest.raises(StudyError, match=r"under 'pair\.one\.' and under 'pair\.two\.'; .* take: one\}"):
        _loaded(path)
    backbone, report = _loaded(path, take="two")
    assert report.prefixes == ("pair.two.",)
    assert_close(backbone.layer3_1.conv1.weight, doubled["layer3.1.conv1.weight"], rtol=0, atol=0)
    torch.save(_under("pair.one.", resnet34(weights=None).state_dict()), path)
    with pytest.raises(StudyError, match=r"has layer1\.2\.bn1\.bias as well"):
        _loaded(path)


def test_what_may_stay_random_is_named_and_new(state, tmp_path, caplog):
    path = tmp_path / "weights.pth"
    _broken("fourth layer", state, path)
    backbone, report = _loaded(path, may_leave=["layer4.*"])
    lacking = {name for name in state if name.startswith("layer4") and not name.endswith("num_batches_tracked")}
    assert set(report.random) == lacking
    assert {name for name, _ in backbone.named_parameters() if name.startswith("layer4")} == backbone.pretrained.drawn
    assert "RANDOM: the file lacks layer4.0.conv1.weight" in caplog.text
    assert_close(backbone.layer3_1.conv1.weight, state["layer3.1.conv1.weight"], rtol=0, atol=0)


def test_a_small_layer_that_is_lacking_is_said_loudly(state, tmp_path, caplog):
    path = tmp_path / "weights.pth"
    torch.save({name: value for name, value in state.items() if not name.startswith("bn1.")}, path)
    _, report = _loaded(path)
    assert set(report.random) == {"bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"}
    assert "RANDOM: the file lacks bn1.weight" in caplog.text


def test_what_was_taken_is_reported(state, tmp_path):
    path = tmp_path / "weights.pth"
    wrapped = {f"module.backbone.{name}": value for name, value in state.items()}
    torch.save({"student": {"a.b": torch.ones(2)}, "teacher": {**wrapped, "module.head.w": torch.ones(3)}}, path)
    _, report = _loaded(path, mean=[0.5] * 3, std=[0.5] * 3)
    assert report.wrapper == ("teacher",)
    assert report.alternatives == ("student",)
    assert report.prefixes == ("module.", "backbone.")
    assert set(report.dropped) == {"module.head.w", "module.backbone.fc.weight", "module.backbone.fc.bias"}
    assert report.parameters == report.all_parameters == sum(p.numel() for p in resnet18().parameters()) - 513_000
    assert str(report.normalization) == "mean 0.5 0.5 0.5, deviation 0.5 0.5 0.5"
    with pytest.raises(StudyError, match=r"lacks .* so it holds no weights of resnet18"):
        _loaded(path, take="student")
    with pytest.raises(StudyError, match=r"take: teachers: .* did you mean 'teacher'"):
        _loaded(path, take="teachers")


def test_a_chosen_network_is_taken(state, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": dict(state), "state_dict_ema": {name: value * 2 for name, value in state.items()}}, path)
    for take, factor in ((None, 2), ("state_dict", 1), ("state_dict_ema", 2)):
        backbone, _ = _loaded(path, take=take)
        assert_close(backbone.layer1_0.conv1.weight, factor * state["layer1.0.conv1.weight"], rtol=0, atol=0)


def test_what_was_found_is_kept_by_content(state, tmp_path, monkeypatch):
    monkeypatch.setenv("REID_SEARCH_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    models = [
        ARCHITECTURES.validate({"architecture": "baseline", "backbone": "resnet18", "weights": str(path)}) for _ in "ab"
    ]
    (found,) = examine_weights(models, fetch=False)
    assert found == _loaded(path)[1]
    (kept,) = (tmp_path / "cache" / "weights").iterdir()
    before = kept.stat().st_mtime_ns
    assert examine_weights(models, fetch=False) == [found]
    assert kept.stat().st_mtime_ns == before
    _broken("nan", state, path)
    with pytest.raises(StudyError, match=rf"^model\.weights: {path}: holds NaN"):
        examine_weights(models, fetch=False)


@pytest.mark.slow  # starts two processes that load torch, each for about eight seconds
def test_another_process_finds_the_same(state, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    for _ in range(2):
        question = {"backbone": "resnet18", "weights": str(path)}
        assert answer_elsewhere(examining.__name__, question) == examining.answer(question)
        _broken("nan", state, path)
    assert "holds NaN" in examining.answer(question)["problem"]


@pytest.mark.parametrize("grid", [(16, 8), (7, 7), (24, 8)])
def test_a_table_of_positions_is_resized_as_timm_does(grid):
    from timm.layers import resample_abs_pos_embed

    generator = torch.Generator().manual_seed(0)
    rows, columns = grid
    table = torch.randn(1, 1 + rows * columns, 12, generator=generator)
    like = torch.empty(1, 1 + 14 * 14, 12)
    found = fitted("pos_embed", table, like, leading=(1, 1), grid=grid)
    assert (found.source, found.target) == (grid, (14, 14))
    assert_close(found.table, resample_abs_pos_embed(table, [14, 14], list(grid)))
    if rows != columns:
        with pytest.raises(StudyError, match="no square; give its rows and columns as `grid`"):
            fitted("pos_embed", table, like, leading=(1, 1), grid=None)


def test_the_second_token_of_a_distilled_table_is_left_out():
    table = torch.arange(2 + 9.0)[None, :, None].expand(1, 11, 2)
    found = fitted("pos_embed", table, torch.empty(1, 10, 2), leading=(2, 1), grid=None)
    assert found.table[0, :, 0].tolist() == [0, *range(2, 11)]
    assert fitted("pos_embed", table[:, 1:], torch.empty(1, 11, 2), leading=(1, 2), grid=None) is None


def test_a_table_of_relative_positions_is_resized_by_head():
    table = torch.randn(13 * 13, 3, generator=torch.Generator().manual_seed(0))
    found = fitted("attn.relative_position_bias_table", table, torch.empty(23 * 23, 3), leading=(0, 0), grid=None)
    assert (found.source, found.target) == ((13, 13), (23, 23))
    wanted = torch.nn.functional.interpolate(
        table.T.reshape(1, 3, 13, 13), size=(23, 23), mode="bicubic", antialias=True
    )
    assert_close(found.table, wanted.reshape(3, -1).T)


def test_a_backbone_that_passes_weights_over_is_told(tmp_path, monkeypatch):
    from reid_search.backbones.weights.loading import Weights

    class Config(BackboneConfig):
        weights_form = "any"

        def blocks(self, last_stride):
            return (Block("only", 3),)

    torch.save({"conv.weight": torch.ones(1)}, tmp_path / "a.pth")
    weights = Weights(Config(name="deaf"), WeightsConfig(file=tmp_path / "a.pth"))
    with pytest.raises(StudyError, match="its `build` should call `load_weights`"):
        weights.finish(torch.nn.Linear(1, 1))
