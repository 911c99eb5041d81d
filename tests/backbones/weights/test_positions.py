"""Tables of positions: of the grid of their weights, interpolated once, to the patches of the images, as timm does."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from timm.layers import resample_abs_pos_embed
from torch.testing import assert_close

from reid_search.backbones import build_backbone
from reid_search.errors import StudyError
from reid_search.study.trial.weights import WeightsConfig

NAME = "vit_tiny_patch16_224"
WIDTH = 192


@pytest.fixture(scope="module")
def state():
    """Tensors by timm's names, as a network of drawn weights has them."""
    backbone = build_backbone(NAME, None, 1)
    return {
        name.removeprefix("embed.").replace("blocks_", "blocks."): item for name, item in backbone.state_dict().items()
    }


def _file(state, rows, columns, folder):
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(1, 1 + rows * columns, WIDTH, generator=generator)
    save_file({**{name: item.clone() for name, item in state.items()}, "pos_embed": table}, folder / "vit.safetensors")
    return table, WeightsConfig(file=folder / "vit.safetensors", grid=(rows, columns))


@pytest.mark.parametrize("source", [(14, 14), (16, 8), (24, 24), (7, 28)], ids=str)
@pytest.mark.parametrize("target", [(16, 8), (24, 8), (14, 14)], ids=str)
def test_a_table_is_interpolated_once_and_as_timm_does(source, target, state, tmp_path):
    table, weights = _file(state, *source, tmp_path)
    backbone = build_backbone(NAME, weights, 1)
    wanted = table if source == target else resample_abs_pos_embed(table, list(target), list(source))
    assert_close(backbone.embed.positions(target), wanted, rtol=0, atol=1e-6)
    assert_close(backbone.embed.positions(source), table, rtol=0, atol=0)
    (told,) = [line for line in backbone.pretrained.report.lines() if line.startswith("pos_embed")]
    assert told == f"pos_embed: interpolated from {source[0]}×{source[1]} to the patches of the images (bicubic)"


def test_positions_are_added_to_the_patches_of_images_of_256_by_128(state, tmp_path):
    table, weights = _file(state, 14, 14, tmp_path)
    backbone = build_backbone(NAME, weights, 1).eval()
    with torch.no_grad():
        patches = backbone.embed.patch_embed(torch.zeros(1, 3, 256, 128)).flatten(1, 2)
        tokens = backbone.embed(torch.zeros(1, 3, 256, 128))
    assert tokens.grid == (16, 8)
    wanted = resample_abs_pos_embed(table, [16, 8], [14, 14])
    assert_close(tokens.sequence[:, 1:], patches + wanted[:, 1:], rtol=0, atol=1e-6)


def test_a_trained_network_keeps_the_grid_of_its_table(state, tmp_path):
    """Its file is read by a network of drawn weights, as testing again does, and as weights, as fine-tuning does."""
    table, weights = _file(state, 16, 8, tmp_path)
    trained = build_backbone(NAME, weights, 1)
    fresh = build_backbone(NAME, None, 1)
    fresh.load_state_dict(trained.state_dict())
    saved = {f"model.backbone.{name}": item.clone() for name, item in trained.state_dict().items()}
    save_file(saved, tmp_path / "trained.safetensors")
    tuned = build_backbone(NAME, WeightsConfig(file=tmp_path / "trained.safetensors"), 1)
    for backbone in (fresh, tuned):
        assert_close(backbone.embed.positions((16, 8)), table, rtol=0, atol=0)
        assert_close(backbone.embed.positions((24, 8)), trained.embed.positions((24, 8)), rtol=0, atol=0)
        assert_close(backbone.state_dict(), trained.state_dict(), rtol=0, atol=0)


def test_a_square_table_is_saved_by_the_names_that_it_always_had(state, tmp_path):
    _, weights = _file(state, 14, 14, tmp_path)
    assert build_backbone(NAME, weights, 1).state_dict().keys() == build_backbone(NAME, None, 1).state_dict().keys()
    assert "pos_embed" in load_file(tmp_path / "vit.safetensors")


def test_a_table_that_is_no_square_needs_its_grid(state, tmp_path):
    _file(state, 16, 8, tmp_path)
    with pytest.raises(StudyError, match="pos_embed has 128 positions, which are no square; give its rows and columns"):
        build_backbone(NAME, WeightsConfig(file=tmp_path / "vit.safetensors"), 1)
    with pytest.raises(StudyError, match=r"grid: \[8, 8\]: pos_embed has 128 positions, not 8 × 8"):
        build_backbone(NAME, WeightsConfig(file=tmp_path / "vit.safetensors", grid=(8, 8)), 1)
