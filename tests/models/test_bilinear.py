"""Products of maps, the part-aligned bilinear model (Suh et al. 2018) and the bilinear CNN (Lin et al. 2015)."""

import itertools
import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional
from torch.testing import assert_close

from reid_search.models import Batch, count_parameters
from reid_search.models.layers.bilinear import FullProduct, TensorSketch, finished, signed_sqrt
from reid_search.study import StageConfig, select_taps
from reid_search.training.optimizer import freeze, set_mode

LARGE = (160, 80)
RESNET50 = 23_508_032
RESNET10_THIN = 307_536  # written out in test_spreid.py


def _draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_full_product_is_the_sum_over_cells_written_out():
    first, second = _draw(2, 3, 2, 4), _draw(2, 5, 2, 4, seed=1)
    expected = torch.zeros(2, 3, 5, dtype=torch.float64)
    for image, row, column in itertools.product(range(2), range(2), range(4)):
        for i, j in itertools.product(range(3), range(5)):
            expected[image, i, j] += first[image, i, row, column] * second[image, j, row, column] / 8
    assert_close(FullProduct()(first, second), expected.flatten(1))


def test_inner_product_of_products_gates_appearance_by_parts():
    """⟨f, f'⟩ = Σ_xy Σ_x'y' ⟨a_xy, a'_x'y'⟩ ⟨p_xy, p'_x'y'⟩, for averages divided by the number of pairs of cells."""
    appearance, parts = _draw(2, 6, 3, 2), _draw(2, 4, 3, 2, seed=1)
    one, other = FullProduct()(appearance, parts)
    total = 0.0
    for here, there in itertools.product(range(6), range(6)):
        looks = [
            values.flatten(2)[image, :, cell]
            for values in (appearance, parts)
            for image, cell in ((0, here), (1, there))
        ]
        total += float(looks[0] @ looks[1]) * float(looks[2] @ looks[3])
    assert float(one @ other) == pytest.approx(total / 36)


def test_sketch_is_the_count_sketch_of_the_product():
    """Product (i, j) goes to place (h1(i) + h2(j)) mod d with sign s1(i) · s2(j)."""
    first, second, sketch = _draw(2, 7, 3, 2), _draw(2, 5, 3, 2, seed=1), TensorSketch((7, 5), 9, seed=4)
    product = FullProduct()(first, second).reshape(2, 7, 5).numpy()
    places, signs = sketch.places.numpy(), sketch.signs.numpy()
    expected = np.zeros((2, 9))
    for i, j in itertools.product(range(7), range(5)):
        expected[:, (places[i] + places[7 + j]) % 9] += signs[i] * signs[7 + j] * product[:, i, j]
    assert_close(sketch(first, second), torch.from_numpy(expected))
    assert set(signs) == {-1, 1}


def test_sketch_error_falls_as_one_over_the_square_root_of_its_size():
    first, second = _draw(6, 24, 3, 2), _draw(6, 16, 3, 2, seed=1)
    full = functional.normalize(FullProduct()(first, second), dim=1)
    exact = full @ full.T
    above = torch.triu(torch.ones_like(exact), diagonal=1).bool()
    lengths = FullProduct()(first, second).norm(dim=1)
    dims = (64, 128, 256, 512, 1024, 2048)
    errors, means = [], []
    for dim in dims:
        sketched = [TensorSketch((24, 16), dim, seed)(first, second) / lengths[:, None] for seed in range(150)]
        differences = torch.stack([(short @ short.T - exact)[above] for short in sketched])
        errors.append(differences.square().mean().sqrt().item())
        means.append(differences.mean().abs().item())
    slope = np.polyfit(np.log(dims), np.log(errors), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.15)
    assert all(mean < 4 * error / math.sqrt(150) for mean, error in zip(means, errors, strict=True))
    assert errors[-1] < 0.05


def test_sketch_depends_on_its_seed_and_on_nothing_else():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    sketches = [TensorSketch((7, 5), 64, seed) for seed in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), before)
    maps = _draw(2, 7, 3, 2), _draw(2, 5, 3, 2, seed=1)
    first, same, other = (sketch(*maps) for sketch in sketches)
    assert_close(first, same, rtol=0, atol=0)
    assert not torch.allclose(first, other)


@pytest.mark.parametrize("dim", [64, 65])
def test_gradient_of_the_sketch(dim, deterministic_algorithms):
    maps = _draw(2, 4, 2, 2).requires_grad_(), _draw(2, 3, 2, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(TensorSketch((4, 3), dim, seed=0), maps)


def test_products_are_taken_in_full_precision():
    maps = _draw(2, 7, 3, 2).bfloat16(), _draw(2, 5, 3, 2, seed=1).bfloat16()
    for product in (FullProduct(), TensorSketch((7, 5), 64, seed=0)):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            taken = product(*maps)
        assert taken.dtype == torch.float32
        assert_close(taken, product(*(values.float() for values in maps)))


def test_signed_square_root_has_a_slope_everywhere():
    values = torch.tensor([-4.0, -0.25, 0.0, 1e-30, 9.0], requires_grad=True)
    roots = signed_sqrt(values)
    assert_close(roots, torch.tensor([-2.0, -0.5, 0.0, 0.0, 3.0]), rtol=1e-4, atol=1e-6)
    roots.sum().backward()
    assert values.grad.isfinite().all()
    assert (values.grad > 0).all()


@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize("unit", [True, False])
def test_vector_is_finished_by_root_and_then_norm(root, unit, make_config):
    config = make_config({"architecture": "bilinear_cnn", "signed_sqrt": root, "unit_length": unit})
    vector = _draw(3, 20) * 5
    expected = vector.sign() * vector.abs().sqrt() if root else vector
    expected = expected / expected.norm(dim=1, keepdim=True) if unit else expected
    assert_close(finished(vector, config), expected, rtol=1e-2, atol=1e-3)


def _streams_of(model, batch):
    """Both projected maps of a part-aligned bilinear model, and its taps."""
    seen = {}
    model.appearance.register_forward_hook(lambda module, inputs, output: seen.update(appearance=output))
    if model.parts is not None:
        model.parts.projection.register_forward_hook(lambda module, inputs, output: seen.update(parts=output))
    return model(batch), seen


@pytest.mark.parametrize("fusion", ["bilinear", "compact", "concat", "appearance"])
def test_fused_vector_is_that_of_the_two_maps(fusion, make_model, images):
    settings = {"architecture": "part_bilinear", "appearance_dim": 24, "part_dim": 16, "sketch_dim": 64}
    model = make_model({**settings, "fusion": fusion}).eval()
    taps, seen = _streams_of(model, images(3))
    maps = list(seen.values())
    vector = {
        "bilinear": lambda: torch.einsum("bihw,bjhw->bij", *maps).flatten(1),
        "compact": lambda: TensorSketch((24, 16), 64, seed=0)(*maps),
        "concat": lambda: torch.cat([values.mean(dim=(2, 3)) for values in maps], dim=1),
        "appearance": lambda: maps[0].mean(dim=(2, 3)),
    }[fusion]()
    assert vector.shape[1] == {"bilinear": 384, "compact": 64, "concat": 40, "appearance": 24}[fusion]
    expected = vector / vector.norm(dim=1, keepdim=True)
    assert_close(taps["bilinear.global@coarse"], expected, rtol=1e-4, atol=1e-5)
    assert ("pose@coarse" in taps) == (fusion != "appearance")


@pytest.mark.parametrize("last_stride", [1, 2])
@pytest.mark.parametrize(("backbone", "part_backbone"), [*itertools.product(["resnet10_thin", "resnet18"], repeat=2)])
def test_streams_share_the_grid_of_the_appearance(backbone, part_backbone, last_stride, make_config, make_model):
    settings = {"backbone": backbone, "part_backbone": part_backbone, "last_stride": last_stride}
    settings["architecture"] = "part_bilinear"
    model = make_model(settings, LARGE, device="meta")
    _, seen = _streams_of(model, Batch.example(LARGE, 2, torch.device("meta")))
    assert seen["appearance"].shape[2:] == seen["parts"].shape[2:]
    pose = select_taps(["map@coarse"], make_config(settings).taps(LARGE))[0]
    assert pose.shape == (17, *seen["appearance"].shape[2:])


def test_grid_of_the_paper(make_config):
    """20 × 10 in the paper, of a stride of 8; ResNet-50 with last stride 1 has 16."""
    config = make_config({"architecture": "part_bilinear", "backbone": "resnet50"})
    assert select_taps(["map@coarse"], config.taps(LARGE))[0].shape == (17, 10, 5)


APPEARANCE = RESNET50 + 2048 * 512
PART_STREAM = RESNET10_THIN + (128 * 17 + 17) + 9 * (128 + 17) * 128


@pytest.mark.parametrize(
    ("settings", "size", "expected"),
    [
        ({"neck": "none"}, 512, APPEARANCE + PART_STREAM),
        ({}, 512, APPEARANCE + PART_STREAM + 2 * 512),
        ({"sketch_dim": 8192}, 8192, APPEARANCE + PART_STREAM + 2 * 8192),
        ({"fusion": "bilinear", "neck": "none"}, 65_536, APPEARANCE + PART_STREAM),
        ({"fusion": "concat", "neck": "none"}, 640, APPEARANCE + PART_STREAM),
        ({"fusion": "appearance", "neck": "none"}, 512, APPEARANCE),
        (
            {"fusion": "concat", "neck": "none", "embedding_dim": 512, "reduction": "conv_bn"},
            640,
            APPEARANCE + PART_STREAM + 640 * 512 + 2 * 512,
        ),
    ],
    ids=str,
)
def test_sizes_on_resnet50_are_those_of_the_specification(settings, size, expected, make_config, make_model):
    settings = {"architecture": "part_bilinear", "backbone": "resnet50", **settings}
    assert select_taps(["global@coarse"], make_config(settings).taps(LARGE))[0].shape == (size,)
    assert count_parameters(make_model(settings, LARGE, device="meta")) == expected


def _stage(*train):
    return StageConfig(name="stage", images=1, train=train)


def test_part_stream_can_be_frozen_while_the_rest_trains(make_model, images):
    model = make_model({"architecture": "part_bilinear"})
    names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    freeze(model, _stage("appearance.*", "head.*"), names)
    set_mode(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model(images(4))["bilinear.global@neck"].square().sum().backward()
    changed = {name.split(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"appearance", "head"}
    trained = {name.split(".")[0] for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert trained == {"appearance", "head"}


def test_part_stream_can_be_pretrained_alone(make_model, images):
    model = make_model({"architecture": "part_bilinear"})
    names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    freeze(model, _stage("parts.*"), names)
    set_mode(model)
    assert {name.split(".")[0] for name, value in model.named_parameters() if value.requires_grad} == {"parts"}
    model(images(4))["pose@coarse"].square().sum().backward()
    for name in ("blocks", "pose"):
        assert all(parameter.grad.any() for parameter in model.parts.get_submodule(name).parameters())


def test_re_identification_alone_trains_the_part_stream(make_model, images):
    model = make_model({"architecture": "part_bilinear"})
    weights = torch.randn(4, 512, generator=torch.Generator().manual_seed(3))
    (model(images(4))["bilinear.global@coarse"] * weights).sum().backward()
    assert all(parameter.grad.any() for parameter in model.parts.parameters())


def test_product_of_one_stream_is_symmetric_and_of_two_is_not(make_model, images):
    settings = {"architecture": "bilinear_cnn", "signed_sqrt": False, "stream_dim": 24}
    one, two = (make_model({**settings, "streams": streams}).eval() for streams in ("one", "two"))
    product = one(images(2))["bilinear.global@coarse"].reshape(2, 24, 24)
    assert_close(product, product.transpose(1, 2))
    assert (torch.linalg.eigvalsh(product) > -1e-5).all()
    other = two(images(2))["bilinear.global@coarse"].reshape(2, 24, 24)
    assert not torch.allclose(other, other.transpose(1, 2), atol=1e-3)


def test_streams_of_different_backbones_meet_on_one_grid(make_model, images):
    model = make_model({"architecture": "bilinear_cnn", "streams": "two", "second_backbone": "resnet18"})
    assert model(images(2))["bilinear.global@coarse"].shape == (2, 128 * 128)


@pytest.mark.parametrize(
    ("settings", "size", "expected"),
    [
        ({"neck": "none"}, 128**2, RESNET50 + 2048 * 128),
        ({"streams": "two", "neck": "none"}, 128**2, 2 * (RESNET50 + 2048 * 128)),
        ({"stream_dim": None, "neck": "none"}, 2048**2, RESNET50),
        ({"stream_dim": 512, "fusion": "compact"}, 512, RESNET50 + 2048 * 512 + 2 * 512),
        (
            {"streams": "two", "second_backbone": "resnet10_thin", "stream_dim": None, "neck": "none"},
            2048 * 128,
            RESNET50 + RESNET10_THIN,
        ),
    ],
    ids=str,
)
def test_sizes_of_the_bilinear_cnn(settings, size, expected, make_config, make_model):
    settings = {"architecture": "bilinear_cnn", "backbone": "resnet50", **settings}
    assert select_taps(["global@coarse"], make_config(settings).taps(LARGE))[0].shape == (size,)
    assert count_parameters(make_model(settings, LARGE, device="meta")) == expected


def test_two_streams_that_would_stay_alike_are_refused(make_config, tmp_path):
    settings = {"architecture": "bilinear_cnn", "streams": "two", "stream_dim": None}
    weights = {"weights": tmp_path / "a.pth", "second_weights": tmp_path / "a.pth"}
    with pytest.raises(ValidationError, match="start from the same weights stay alike"):
        make_config({**settings, **weights})
    assert make_config({**settings, **weights, "second_weights": tmp_path / "b.pth"}).streams == "two"
    assert make_config(settings).streams == "two"
