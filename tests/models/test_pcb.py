"""The part-based convolutional baseline and refined part pooling against their specification (Sun et al. 2018)."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.testing import assert_close

from reid_search.errors import StudyError
from reid_search.losses import Criterion
from reid_search.models import Batch, count_parameters
from reid_search.models.layers.weighted import weighted_pooling
from reid_search.models.pcb.refined import PartClassifier
from reid_search.study import StageConfig, TrialConfig, select_taps
from reid_search.training.optimizer import build_optimizer, freeze, set_mode

LARGE = (384, 128)
RESNET50 = 23_508_032
REDUCTION = 2048 * 256 + 2 * 256
MARKET = {"name": "market1501", "image_size": list(LARGE), "holdout": 0}
INDUCTION = StageConfig(name="induction", images=8, train=("part_classifier.*",))


@pytest.mark.parametrize(
    ("model", "identity", "expected"),
    [
        ({}, {}, 6 * REDUCTION + 6 * (256 * 751 + 751)),
        ({"partition": "refined"}, {}, 6 * REDUCTION + 6 * 2048 + 6 * (256 * 751 + 751)),
        ({"reduction_shared": True}, {}, REDUCTION + 6 * (256 * 751 + 751)),
        ({}, {"shared": True}, 6 * REDUCTION + 256 * 751 + 751),  # variant 2
        ({"part_mean": True}, {"on": ["p6.mean@reduced"]}, 6 * REDUCTION + 256 * 751 + 751),  # variant 1
        ({}, {"on": ["part@coarse"], "bias": False}, 6 * REDUCTION + 6 * 2048 * 751),
        ({"global_head": True}, {}, 7 * REDUCTION + 7 * (256 * 751 + 751)),
        ({"parts": 12, "neck": "bnneck"}, {}, 12 * (REDUCTION + 2 * 256) + 12 * (256 * 751 + 751)),
        ({"parts": 2, "partition": "refined"}, {}, 2 * REDUCTION + 2 * 2048 + 2 * (256 * 751 + 751)),
    ],
    ids=str,
)
def test_parameters_with_751_identities_are_those_of_the_specification(model, identity, expected, make_model):
    model = {"architecture": "pcb", "backbone": "resnet50", **model}
    config = TrialConfig.model_validate({"data": MARKET, "model": model, "losses": {"identity": identity}})
    with torch.device("meta"):
        criterion = Criterion(config.losses, {"identity": config.loss_taps("identity")}, 751, seed=0)
    assert list(config.losses) == ["identity"]
    assert (
        count_parameters(make_model(model, LARGE, device="meta")) + count_parameters(criterion) == RESNET50 + expected
    )


@pytest.mark.parametrize("parts", [2, 3, 4, 6, 8, 12])
@pytest.mark.parametrize("partition", ["stripes", "refined"])
def test_map_and_features_have_the_published_sizes(parts, partition, make_config, make_model):
    settings = {"architecture": "pcb", "backbone": "resnet50", "parts": parts, "partition": partition}
    model = make_model(settings, LARGE, device="meta")
    sizes = []
    model.backbone.register_forward_hook(lambda module, inputs, output: sizes.append(tuple(output.shape[1:])))
    taps = model(torch.empty(2, 3, *LARGE, device="meta"))
    assert sizes == [(2048, 24, 8)]
    for stage, dim in [("coarse", 2048), ("reduced", 256)]:
        assert {tuple(taps[f"p{parts}.part{number}@{stage}"].shape) for number in range(1, parts + 1)} == {(2, dim)}
    listed = make_config(settings).taps(LARGE)
    read = {stage: select_taps([stage], listed) for stage in ("coarse", "reduced")}
    assert {stage: sum(tap.dim for tap in taps) for stage, taps in read.items()} == {
        "coarse": parts * 2048,
        "reduced": parts * 256,
    }
    assert select_taps(make_config(settings).default_readout, listed) == read["reduced"]


@pytest.mark.parametrize("parts", [7, 1, 5])
def test_parts_are_those_of_the_paper(parts, make_config):
    with pytest.raises(ValueError, match="parts"):
        make_config({"architecture": "pcb", "parts": parts})


def test_more_stripes_than_rows_are_refused(make_config):
    with pytest.raises(StudyError, match=r"12 stripes do not fit a map of 8×4 .*at most 8,"):
        make_config({"architecture": "pcb", "parts": 12}).taps((64, 32))


def test_refined_parts_are_averages(make_config):
    with pytest.raises(ValueError, match="'max' with partition 'refined', a weighted average; allowed: avg"):
        make_config({"architecture": "pcb", "partition": "refined", "pooling": "max"})


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_coarse_features_are_average_pooled_stripes(parts, make_model, images):
    model = make_model({"architecture": "pcb", "parts": parts})
    maps = []
    model.backbone.register_forward_hook(lambda module, inputs, output: maps.append(output))
    taps = model(images(3))
    expected = functional.adaptive_avg_pool2d(maps[0], (parts, 1)).squeeze(3)
    for number in range(parts):
        assert_close(taps[f"p{parts}.part{number + 1}@coarse"], expected[:, :, number])
    assert_close(taps[f"p{parts}.concat@coarse"], expected.transpose(1, 2).flatten(1))


@pytest.mark.parametrize("shared", [False, True])
def test_reductions_are_separate_or_one(shared, make_model, images):
    model = make_model({"architecture": "pcb", "parts": 2, "reduction_shared": shared}).eval()
    taps = model(images(2))
    reductions = [model.reduction] * 2 if shared else [head.reduction for head in model.parts]
    for number, reduction in enumerate(reductions, start=1):
        assert_close(reduction(taps[f"p2.part{number}@coarse"]), taps[f"p2.part{number}@reduced"])
    assert len({reduction.conv.weight.sum().item() for reduction in reductions}) == (1 if shared else 2)


def test_mean_of_the_parts_is_offered_and_not_read_out(make_config, make_model, images):
    settings = {"architecture": "pcb", "parts": 3, "part_mean": True, "global_head": True}
    taps = make_model(settings)(images(2))
    parts = torch.stack([taps[f"p3.part{number}@reduced"] for number in (1, 2, 3)])
    assert_close(taps["p3.mean@reduced"], parts.mean(dim=0))
    config = make_config(settings)
    read = [tap.name for tap in select_taps(config.default_readout, config.taps((64, 32)))]
    assert read == ["p3.global", "p3.part1", "p3.part2", "p3.part3"]


def test_part_classifier_is_a_softmax_of_scalar_products_at_every_place():
    classifier, features = PartClassifier(5, 3), torch.randn(2, 5, 4, 3)
    nn.init.normal_(classifier.weight)
    convolution = functional.conv2d(features, classifier.weight[:, :, None, None])
    assert_close(classifier(features), convolution.softmax(dim=1))


@pytest.mark.parametrize("parts", [2, 4, 8])
def test_a_classifier_certain_of_the_stripes_gives_the_stripes(parts, make_model, images):
    """Channels that say in which stripe they are, and a classifier that reads them with certainty."""
    model = make_model({"architecture": "pcb", "parts": parts, "partition": "refined"}).eval()
    features = torch.rand(3, 128, 8, 4)
    features[:, :parts] = torch.eye(parts).repeat_interleave(8 // parts, dim=1)[None, :, :, None]
    with torch.no_grad():
        model.part_classifier.weight.zero_()
        model.part_classifier.weight[:, :parts] = 1000 * torch.eye(parts)
    model.backbone = nn.Identity()
    refined = model(Batch(features))
    model.use_mode("stripes")
    assert_close(refined, model(Batch(features)), rtol=1e-4, atol=1e-5)


def test_an_uncertain_classifier_averages_the_map(make_model, images):
    model = make_model({"architecture": "pcb", "parts": 2, "partition": "refined", "global_head": True})
    nn.init.zeros_(model.part_classifier.weight)
    taps = model(images(2))
    for number in (1, 2):
        assert_close(taps[f"p2.part{number}@coarse"], taps["p2.global@coarse"])


@pytest.mark.parametrize("partition", ["stripes", "refined"])
def test_mode_stripes_is_the_network_without_refinement(partition, make_model, images):
    refined = make_model({"architecture": "pcb", "parts": 4, "partition": partition}).eval()
    plain = make_model({"architecture": "pcb", "parts": 4}, seed=3).eval()
    state = {name: value for name, value in refined.state_dict().items() if not name.startswith("part_classifier.")}
    plain.load_state_dict(state)
    tested = refined(images(2))
    refined.use_mode("stripes")
    assert_close(refined(images(2)), plain(images(2)), rtol=0, atol=0)
    refined.use_mode(None)
    assert_close(refined(images(2)), tested, rtol=0, atol=0)
    alike = torch.equal(tested["p4.part1@coarse"], plain(images(2))["p4.part1@coarse"])
    assert alike == (partition == "stripes")


def test_another_mode_is_refused(make_model):
    with pytest.raises(ValueError, match="no mode 'boxes'"):
        make_model({"architecture": "pcb"}).use_mode("boxes")


def test_stages_of_refined_part_pooling_are_a_config():
    stages = [
        {"name": "stripes", "images": 60, "mode": "stripes"},
        {"name": "induction", "images": 20, "train": ["part_classifier.*"]},
        {"name": "all", "images": 20},
    ]
    config = {
        "data": MARKET,
        "model": {"architecture": "pcb", "partition": "refined"},
        "losses": {"identity": {"weight": 6}},
        "training": {"stages": stages, "report_every": 100},
        "readouts": {"G": {"taps": ["coarse"]}, "H": {"taps": ["reduced"]}},
    }
    trial = TrialConfig.model_validate(config)
    assert [sum(tap.dim for tap in trial.readout_taps(name)) for name in "GH"] == [12288, 1536]


def _train(model, stage, features, loss_of, steps, lr):
    config = TrialConfig.model_validate(
        {
            "data": MARKET,
            "model": {"architecture": "pcb"},
            "training": {"optimizer": {"kind": "adam", "lr": lr, "weight_decay": 0}},
        }
    )
    may_train = {name for name, value in model.named_parameters() if value.requires_grad}
    model.use_mode(stage.mode)
    freeze(model, stage, may_train)
    optimizer = build_optimizer(config.training.optimizer, stage, model, Criterion({}, {}, 2, seed=0))
    for _ in range(steps):
        set_mode(model)
        optimizer.zero_grad()
        loss_of(model(Batch(features))).backward()
        optimizer.step()


@pytest.mark.parametrize("neck", ["none", "bnneck"])
def test_induction_changes_the_part_classifier_and_nothing_else(neck, make_model, images):
    """Nor does it move the statistics of a batch norm."""
    model = make_model({"architecture": "pcb", "parts": 2, "partition": "refined", "neck": neck, "global_head": True})
    model(images(8, seed=5))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    _train(model, INDUCTION, images(8), lambda taps: sum(tap.square().mean() for tap in taps.values()), 2, 0.01)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"part_classifier.weight"}


@pytest.mark.parametrize(
    ("stage", "trained"),
    [
        (StageConfig(name="plain", images=8, mode="stripes"), {"backbone", "parts"}),
        (StageConfig(name="all", images=8), {"backbone", "parts", "part_classifier"}),
        (StageConfig(name="heads", images=8, train=("parts.*", "part_classifier.*")), {"parts", "part_classifier"}),
        (StageConfig(name="no heads", images=8, train=("backbone.*",)), {"backbone"}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_patterns_of_a_stage_name_what_they_seem_to(stage, trained, make_model, images):
    model = make_model({"architecture": "pcb", "parts": 2, "partition": "refined"})
    before = {name: value.clone() for name, value in model.named_parameters()}
    _train(model, stage, images(8), lambda taps: sum(tap.square().mean() for tap in taps.values()), 1, 0.01)
    changed = {name.split(".")[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert changed == trained


def _misaligned_people(generator, count=64):
    """Maps of two parts whose border is at another height in each; a part tells one bit of who it is.

    Channels 0 and 1 say which part a place belongs to. Channel 2 has the bit of the upper part there, channel 3 that of
    the lower part; in the other part each has the opposite, so that a mixture of both tells less.
    """
    bits = torch.randint(0, 2, (count, 2), generator=generator) * 2.0 - 1
    border = torch.randint(2, 7, (count, 1), generator=generator)
    is_upper = (torch.arange(8)[None] < border).float()[:, :, None].expand(-1, -1, 4)
    features = torch.zeros(count, 128, 8, 4)
    features[:, 0], features[:, 1] = is_upper, 1 - is_upper
    features[:, 2] = bits[:, 0, None, None] * is_upper - bits[:, 0, None, None] * (1 - is_upper)
    features[:, 3] = bits[:, 1, None, None] * (1 - is_upper) - bits[:, 1, None, None] * is_upper
    return features, bits, is_upper


def test_part_classifier_alone_finds_planted_parts(make_model):
    """The parts' own classifiers stay as they are: the first reads channel 2, the second channel 3."""
    model = make_model({"architecture": "pcb", "parts": 2, "partition": "refined"})
    model.backbone = nn.Identity()
    features, bits, is_upper = _misaligned_people(torch.Generator().manual_seed(0))

    def loss_of(taps):
        scores = [taps[f"p2.part{number}@coarse"][:, number + 1] for number in (1, 2)]
        return functional.softplus(-4 * torch.stack(scores, dim=1) * bits).mean()

    def share_of_upper():
        return weighted_pooling(features[:, :1], model.part_classifier(features)).mean(dim=0).flatten()

    assert share_of_upper().tolist() == pytest.approx([0.5, 0.5], abs=0.05)
    _train(model, INDUCTION, features, loss_of, 200, 0.05)
    assert model.part_classifier(features)[:, 0][is_upper == 1].min() > 0.9
    assert model.part_classifier(features)[:, 1][is_upper == 0].min() > 0.9
    first, second = share_of_upper().tolist()
    assert first > 0.9
    assert second < 0.1


def test_refined_pooling_as_the_authors_code_has_it(make_model, images):
    """Its steps, one after another: averages of channels, less their mean, softmax, ×6 and an average over the map."""
    settings = {"architecture": "pcb", "backbone": "resnet50", "parts": 6, "partition": "refined_as_code"}
    model = make_model(settings, (192, 64)).eval()
    found = []
    model.backbone.register_forward_hook(lambda *seen: found.append(seen[2]))
    taps = model(images(2, (192, 64)))
    (features,) = found
    grouped = functional.avg_pool3d(features.unsqueeze(1), (8, 1, 1), stride=(8, 1, 1)).squeeze(1)
    centred = grouped - functional.avg_pool2d(grouped, grouped.shape[2:])
    linear = model.part_classifier.linear
    weights = functional.conv2d(centred, linear.weight[:, :, None, None], linear.bias).softmax(dim=1)
    for part in range(6):
        expected = functional.adaptive_avg_pool2d(6 * features * weights[:, part : part + 1], 1).flatten(1)
        assert_close(taps[f"p6.part{part + 1}@coarse"], expected, rtol=1e-4, atol=1e-5)
    assert linear.weight.shape == (6, 256)
