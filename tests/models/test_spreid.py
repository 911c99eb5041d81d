"""SPReID against its specification (Kalayeh et al. 2018)."""

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional
from torch.testing import assert_close

from reid_search.errors import StudyError
from reid_search.models import Batch, count_parameters
from reid_search.models.spreid.maps import parsed_maps, side_car_maps, stripe_maps, with_foreground
from reid_search.study import select_taps

LARGE = (384, 128)
RESNET50 = 23_508_032
PARTS = ("head", "upper", "lower", "shoes")
FIVE = ("foreground", *PARTS)


def _thin_block(channels, width, downsample):
    norms = 2 * 2 * width
    return 9 * channels * width + 9 * width * width + norms + downsample * (channels * width + 2 * width)


RESNET10_THIN = (
    9 * 3 * 16
    + 2 * 16
    + _thin_block(16, 16, False)
    + sum(_thin_block(width // 2, width, True) for width in (32, 64, 128))
)


def test_the_arithmetic_of_the_thin_backbone_is_right():
    assert RESNET10_THIN == 307_536


def _parser_head(channels):
    return 9 * channels * 64 + 2 * 64 + 64 * 5 + 5


def _maps(count, size=(64, 32), seed=1):
    drawn = torch.randn(count, 5, *size, generator=torch.Generator().manual_seed(seed))
    return (2 * drawn).softmax(dim=1)[:, 1:]


@pytest.fixture
def make_spreid(make_model):
    return lambda seed=0, **settings: make_model({"architecture": "spreid", **settings}, seed=seed)


def _with_features(model, batch):
    """The taps, and what the maps' backbone made of the images."""
    seen = []
    handle = model.backbone.register_forward_hook(lambda module, inputs, output: seen.append(output))
    taps = model(batch)
    handle.remove()
    return taps, seen[0]


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, 3 * 2048),
        ({"foreground": False}, 2 * 2048),
        ({"combine": "concat"}, 6 * 2048),
        ({"combine": "mean", "include_global": False}, 2 * 2048),
        ({"combine": "none"}, 2 * 2048),
        ({"combine": "none", "foreground": False}, 2048),
    ],
    ids=str,
)
def test_size_of_the_vector_on_resnet50(settings, size, make_config, make_model):
    settings = {"architecture": "spreid", "backbone": "resnet50", **settings}
    assert select_taps(["global@coarse"], make_config(settings).taps(LARGE))[0].shape == (size,)
    with torch.device("meta"):
        batch = Batch.example(LARGE, 2, torch.device("meta"))
    assert make_model(settings, LARGE, device="meta")(batch)["spreid.global@coarse"].shape == (2, size)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, RESNET50),
        ({"backbone_shared": False}, 2 * RESNET50),
        ({"backbone_shared": False, "include_global": False}, RESNET50),
        ({"maps": "stripes", "pooling": "gem"}, RESNET50 + 1),
        ({"maps": "learnt"}, RESNET50 + RESNET10_THIN + _parser_head(128)),
        ({"maps": "learnt", "parser": "shared"}, RESNET50 + _parser_head(2048)),
        ({"embedding_dim": 512, "neck": "bnneck"}, RESNET50 + 6144 * 512 + 2 * 512 + 2 * 512),
    ],
    ids=str,
)
def test_parameters_are_those_of_the_specification(settings, expected, make_model):
    model = make_model({"architecture": "spreid", "backbone": "resnet50", **settings}, LARGE, device="meta")
    assert count_parameters(model) == expected


@pytest.mark.parametrize("resize", ["features", "maps"])
@pytest.mark.parametrize("size", [(64, 32), (48, 24), (128, 64)])
def test_uniform_maps_pool_as_average_pooling(resize, size, make_model, images):
    model = make_model({"architecture": "spreid", "maps": "uniform", "resize": resize}, size).eval()
    taps, features = _with_features(model, images(3, size))
    average = functional.adaptive_avg_pool2d(features, 1).flatten(1)
    for name in FIVE:
        assert_close(taps[f"spreid.{name}@coarse"], average)
    assert_close(taps["spreid.global@coarse"], average.repeat(1, 3))


@pytest.mark.parametrize("map_grid", [None, [9, 7], [2, 2]])
def test_features_are_interpolated_to_the_maps_as_written_in_the_paper(map_grid, make_spreid, images):
    model = make_spreid(map_grid=map_grid).eval()
    batch = Batch(images(3), maps=_maps(3))
    taps, features = _with_features(model, batch)
    grid = map_grid or [2 * side for side in features.shape[2:]]
    larger = functional.interpolate(features, grid, mode="bilinear", align_corners=False)
    maps = side_car_maps(batch.maps, tuple(grid))
    shares = maps / maps.sum(dim=(2, 3), keepdim=True)
    for index, name in enumerate(FIVE):
        expected = (shares[:, index : index + 1] * larger).sum(dim=(2, 3))
        assert_close(taps[f"spreid.{name}@coarse"], expected, rtol=1e-4, atol=1e-5)


def test_maps_are_averaged_to_the_features(make_spreid, images):
    model = make_spreid(resize="maps").eval()
    batch = Batch(images(3), maps=_maps(3))
    taps, features = _with_features(model, batch)
    maps = functional.avg_pool2d(batch.maps, (64 // features.shape[2], 32 // features.shape[3]))
    for index, name in enumerate(PARTS):
        weights = maps[:, index : index + 1]
        expected = (weights * features).sum(dim=(2, 3)) / weights.sum(dim=(2, 3))
        assert_close(taps[f"spreid.{name}@coarse"], expected, rtol=1e-4, atol=1e-5)
    weights = maps.sum(dim=1, keepdim=True)
    expected = (weights * features).sum(dim=(2, 3)) / weights.sum(dim=(2, 3))
    assert_close(taps["spreid.foreground@coarse"], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("combine", ["max", "mean", "concat", "none"])
def test_vector_is_foreground_parts_and_average(combine, make_spreid, images):
    model = make_spreid(combine=combine).eval()
    taps, features = _with_features(model, Batch(images(3), maps=_maps(3)))
    parts = torch.stack([taps[f"spreid.{name}@coarse"] for name in PARTS])
    combined = {
        "max": [parts.max(dim=0).values],
        "mean": [parts.mean(dim=0)],
        "concat": list(parts),
        "none": [],
    }[combine]
    expected = torch.cat([taps["spreid.foreground@coarse"], *combined, features.mean(dim=(2, 3))], dim=1)
    assert_close(taps["spreid.global@coarse"], expected)


def test_a_part_that_is_not_on_the_image_counts_for_nothing(make_spreid, images):
    maps = _maps(3)
    maps[0, PARTS.index("shoes")] = 0
    maps[1] = 0
    taps = make_spreid().eval()(Batch(images(3), maps=maps))
    assert (taps["spreid.shoes@coarse"][:2] == 0).all()
    assert all((taps[f"spreid.{name}@coarse"][1] == 0).all() for name in FIVE)
    assert taps["spreid.foreground@coarse"][0].any()
    assert taps["spreid.global@coarse"].isfinite().all()


def test_stripes_are_quarters(make_spreid, images):
    model = make_spreid(maps="stripes", last_stride=1, map_grid=[8, 4], resize="maps").eval()
    taps, features = _with_features(model, images(3))
    assert features.shape[2:] == (8, 4)
    stripes = functional.adaptive_avg_pool2d(features, (4, 1)).squeeze(3)
    for index, name in enumerate(PARTS):
        assert_close(taps[f"spreid.{name}@coarse"], stripes[:, :, index])
    assert_close(taps["spreid.foreground@coarse"], features.mean(dim=(2, 3)))


@pytest.mark.parametrize("rows", [3, 8, 9])
def test_stripes_leave_out_no_row(rows):
    maps = stripe_maps(torch.zeros(2, 3, 64, 32), (rows, 4))
    assert maps.shape == (2, 5, rows, 4)
    assert (maps[:, 1:].sum(dim=1) >= 1).all()


def test_logits_are_read_in_the_order_of_the_parsing_loss():
    """Background first, then the parts as in side-cars."""
    maps = _maps(2, (8, 4))
    background = 1 - maps.sum(dim=1, keepdim=True)
    logits = torch.cat([background, maps], dim=1).log()
    assert_close(parsed_maps(logits), with_foreground(maps))


@pytest.mark.parametrize("parser", ["own", "shared"])
@pytest.mark.parametrize("detached", [True, False])
def test_parser_learns_from_re_identification_only_when_asked(parser, detached, make_spreid, images):
    model = make_spreid(maps="learnt", parser=parser, parser_detached=detached)
    taps = model(images(4))
    assert taps["parsing@coarse"].shape == (4, 5, 8, 4)
    taps["spreid.global@coarse"].square().sum().backward()
    learnt = [parameter.grad is not None and bool(parameter.grad.any()) for parameter in model.parser.parameters()]
    assert any(learnt) != detached


def test_parser_of_its_own_leaves_the_backbone_alone(make_spreid, images):
    for parser, touched in (("own", False), ("shared", True)):
        model = make_spreid(maps="learnt", parser=parser)
        model(images(4))["parsing@coarse"].square().sum().backward()
        assert any(parameter.grad is not None for parameter in model.backbone.parameters()) == touched


def test_separate_backbones_start_alike_and_learn_apart(make_spreid, images):
    model = make_spreid(maps="stripes", backbone_shared=False, foreground=False, combine="max")
    assert_close(model.global_backbone.state_dict(), model.backbone.state_dict(), rtol=0, atol=0)
    model(images(4))["spreid.global@coarse"][:, 128:].square().sum().backward()
    assert all(parameter.grad is None or not parameter.grad.any() for parameter in model.backbone.parameters())
    assert all(parameter.grad.any() for parameter in model.global_backbone.parameters())


def test_a_mirrored_batch_has_the_mirrored_maps():
    batch = Batch(torch.zeros(2, 3, 64, 32), maps=_maps(2))
    assert_close(side_car_maps(batch.mirrored().maps, (8, 4)), side_car_maps(batch.maps, (8, 4)).flip(3))


@pytest.mark.parametrize(("maps", "needs"), [("side_car", {"maps"}), ("learnt", set()), ("stripes", set())])
def test_needs_maps_only_where_it_reads_them(maps, needs, make_config):
    assert make_config({"architecture": "spreid", "maps": maps}).needs == needs


def test_a_batch_without_maps_is_refused(make_spreid, images):
    with pytest.raises(StudyError, match="architecture 'spreid' needs part maps"):
        make_spreid()(images(2))


def test_nothing_left_is_refused(make_config):
    with pytest.raises(ValidationError, match="leaves no vector without foreground and include_global"):
        make_config({"architecture": "spreid", "combine": "none", "foreground": False, "include_global": False})


def test_reads_out_the_whole_vector_at_its_last_stage(make_config):
    for settings, stage in (({}, "coarse"), ({"embedding_dim": 64}, "reduced"), ({"neck": "bnneck"}, "neck")):
        config = make_config({"architecture": "spreid", **settings})
        assert [tap.key for tap in select_taps(config.default_readout, config.taps((64, 32)))] == [
            f"spreid.global@{stage}"
        ]


def test_the_interpolation_of_the_authors_code_lets_corners_coincide(make_spreid, images):
    model = make_spreid(map_grid=[9, 7], align_corners=True).eval()
    batch = Batch(images(3), maps=_maps(3))
    taps, features = _with_features(model, batch)
    larger = functional.interpolate(features, (9, 7), mode="bilinear", align_corners=True)
    maps = side_car_maps(batch.maps, (9, 7))
    shares = maps / maps.sum(dim=(2, 3), keepdim=True)
    for index, name in enumerate(FIVE):
        expected = (shares[:, index : index + 1] * larger).sum(dim=(2, 3))
        assert_close(taps[f"spreid.{name}@coarse"], expected, rtol=1e-4, atol=1e-5)


def test_both_networks_are_the_one_with_and_the_one_without_foreground(make_spreid, images):
    both, batch = make_spreid(foreground="both", backbone_shared=False).eval(), Batch(images(3), maps=_maps(3))
    taps = both(batch)
    assert set(taps) == {tap.key for tap in both.tap_specs}
    for name, foreground in (("with_foreground", True), ("without_foreground", False)):
        alone = make_spreid(seed=5, foreground=foreground, backbone_shared=False).eval()
        alone.load_state_dict(both.get_submodule(name).state_dict())
        for key, value in alone(batch).items():
            assert_close(taps[key.replace("spreid", name)], value, rtol=0, atol=0)
    assert not torch.equal(taps["with_foreground.upper@coarse"], taps["without_foreground.upper@coarse"])


def test_a_gradient_on_one_network_leaves_the_other_alone(make_spreid, images):
    both = make_spreid(foreground="both").train()
    both(Batch(images(3), maps=_maps(3)))["with_foreground.global@coarse"].square().sum().backward()
    reached = {name.split(".")[0] for name, value in both.named_parameters() if value.grad is not None}
    assert reached == {"with_foreground"}


def test_two_networks_with_a_parser_each_are_refused(make_config):
    with pytest.raises(ValidationError, match="'both' with maps 'learnt'"):
        make_config({"architecture": "spreid", "foreground": "both", "maps": "learnt"})
