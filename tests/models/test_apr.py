"""Attribute-person recognition (Lin et al. 2019)."""

import pytest
import torch
from torch.testing import assert_close

from reid_search.models import count_parameters
from reid_search.models.attributes.model import predict
from reid_search.study import LOSSES, select_taps
from reid_search.study.trial.side_cars import ATTRIBUTES

RESNET50 = 23_508_032


@pytest.fixture
def make_apr(make_model):
    return lambda **settings: make_model({"architecture": "attributes", **settings}).eval()


def test_predictions_are_a_distribution_of_each_attribute():
    logits = torch.randn(3, 56, generator=torch.Generator().manual_seed(0))
    predictions = predict(logits, list(ATTRIBUTES.values()))
    start = 0
    for values in ATTRIBUTES.values():
        here = slice(start, start + values)
        assert_close(predictions[:, here], logits[:, here].softmax(dim=1))
        start += values
    assert start == 56
    assert_close(predictions.sum(dim=1), torch.full((3,), 27.0))


def test_vector_is_the_pooled_map_and_the_gated_predictions(make_apr, images):
    model = make_apr()
    seen = []
    model.backbone.register_forward_hook(lambda module, inputs, output: seen.append(output))
    taps = model(images(3))
    average = seen[0].mean(dim=(2, 3))
    logits = average @ model.classifiers.weight.T + model.classifiers.bias
    assert_close(taps["attributes.logits@coarse"], logits)
    predictions = predict(logits, list(ATTRIBUTES.values()))
    gate = 1 / (1 + torch.exp(-(predictions @ model.gate.weight.T + model.gate.bias)))
    assert_close(taps["p1.global@coarse"], torch.cat([average, gate * predictions], dim=1))


def test_without_reweighting_attributes_are_only_learnt_beside(make_apr, images):
    taps = make_apr(reweighting=False)(images(3))
    assert taps["p1.global@coarse"].shape == (3, 128)
    assert taps["attributes.logits@coarse"].shape == (3, 56)


def test_the_attributes_of_duke_are_23_pairs(make_apr, images):
    taps = make_apr(attribute_set="duke")(images(3))
    logits, vector = taps["attributes.logits@coarse"], taps["p1.global@coarse"]
    assert (logits.shape, vector.shape) == ((3, 46), (3, 128 + 46))
    pairs = predict(logits, [2] * 23).unflatten(1, (23, 2))
    assert_close(pairs, logits.unflatten(1, (23, 2)).softmax(dim=2))


@pytest.mark.parametrize(("reweighting", "reached"), [(True, True), (False, False)])
def test_identities_reach_the_attributes_through_the_vector(reweighting, reached, make_apr, images):
    model = make_apr(reweighting=reweighting)
    model(images(3))["p1.global@coarse"].square().sum().backward()
    assert (model.classifiers.weight.grad is not None) == reached


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, RESNET50 + (2048 * 56 + 56) + (56 * 56 + 56)),
        ({"reweighting": False}, RESNET50 + 2048 * 56 + 56),
        (
            {"embedding_dim": 512, "neck": "bnneck"},
            RESNET50 + (2048 * 56 + 56) + (56 * 56 + 56) + 2104 * 512 + 2 * 512 + 2 * 512,
        ),
    ],
    ids=str,
)
def test_parameters_on_resnet50(settings, expected, make_model):
    model = make_model({"architecture": "attributes", "backbone": "resnet50", **settings}, (256, 128), device="meta")
    assert count_parameters(model) == expected


def test_default_losses_have_the_ratio_of_the_paper(make_config):
    """λ · identity + mean over attributes, λ = 8."""
    config = make_config({"architecture": "attributes"})
    losses = {name: LOSSES.validate(loss) for name, loss in config.default_losses.items()}
    assert losses["identity"].weight == 8 * losses["attributes"].weight
    sites = {name: [tap.key for tap in select_taps(loss.on, config.taps((64, 32)))] for name, loss in losses.items()}
    assert sites == {"identity": ["p1.global@coarse"], "attributes": ["attributes.logits@coarse"]}


def test_attributes_are_needed_in_training_only(make_config):
    config = make_config({"architecture": "attributes"})
    assert config.needs == frozenset()
    assert LOSSES.validate(config.default_losses["attributes"]).needs == {"attributes"}
