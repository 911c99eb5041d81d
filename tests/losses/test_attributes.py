"""Attribute loss against loops over attributes, in double precision."""

import math

import pytest
import torch
from torch.testing import assert_close

from reid_search.errors import StudyError
from reid_search.study import LOSSES, Scope, Stage, TapSpec
from reid_search.study.trial.side_cars import ALL_ATTRIBUTES, ATTRIBUTES

LABELS = torch.arange(6) // 2


def _written_out(logits, values):
    """The mean over attributes of -log softmax at each image's value: 26 attributes of two values, an age of four."""
    start, total = 0, 0.0
    for place, number in enumerate([2] * 9 + [4] + [2] * 17):
        for row, value in zip(logits.double().tolist(), values[:, place].tolist(), strict=True):
            own = row[start : start + number]
            total += math.log(sum(math.exp(logit) for logit in own)) - own[value]
        start += number
    assert start == logits.shape[1]
    return total / (len(ATTRIBUTES) * len(logits))


def _attribute_tap(*shape):
    return TapSpec("attributes", Scope.ATTRIBUTE, Stage.COARSE, shape)


def test_logits_of_the_model_are_compared_as_they_are(make_loss, make_targets):
    tap, targets = _attribute_tap(56), make_targets(LABELS)
    loss = make_loss({"kind": "attributes"}, [tap])
    logits = torch.randn(6, 56, generator=torch.Generator().manual_seed(1))
    assert loss({tap.key: logits}, targets).item() == pytest.approx(_written_out(logits, targets.attributes), rel=1e-6)
    assert list(loss.parameters()) == []


def test_the_attributes_of_duke_have_46_logits_and_columns_of_their_own(make_loss, make_targets):
    """-log softmax of each of Duke's 23 at the image's value, whichever column of the targets holds it."""
    colours = {"up": "black white red purple gray blue green brown", "down": "black white red gray blue green brown"}
    names = "gender top boots hat backpack bag handbag shoes".split()  # noqa: SIM905
    names += [f"{where}{colour}" for where, found in colours.items() for colour in found.split()]
    tap, targets = _attribute_tap(46), make_targets(LABELS)
    logits = torch.randn(6, 46, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    total = 0.0
    for place, name in enumerate(names):
        values = targets.attributes[:, list(ALL_ATTRIBUTES).index(name)].tolist()
        for row, value in zip(logits[:, 2 * place : 2 * place + 2].tolist(), values, strict=True):
            total += math.log(sum(math.exp(logit) for logit in row)) - row[value]
    loss = make_loss({"kind": "attributes", "attribute_set": "duke"}, [tap])
    assert loss({tap.key: logits}, targets).item() == pytest.approx(total / (23 * 6), rel=1e-6)
    targets.attributes[:, list(ATTRIBUTES).index("age")] = -1
    assert loss({tap.key: logits}, targets).item() == pytest.approx(total / (23 * 6), rel=1e-6)
    with pytest.raises(StudyError, match=r"expected \[46\]: 46 logits, .* 23 attributes of attribute_set duke"):
        make_loss({"kind": "attributes", "attribute_set": "duke"}, [_attribute_tap(56)])


def test_what_is_known_of_other_attributes_changes_nothing(make_taps, make_loss, make_targets):
    """The attributes of Market-1501 are the first 27 columns, as they were when there were no others."""
    taps, targets = make_taps(5), make_targets(LABELS)
    loss, features = make_loss({"kind": "attributes"}, taps), {taps[0].key: torch.randn(6, 5)}
    before = loss(features, targets).item()
    targets.attributes = targets.attributes[:, :27]
    assert loss(features, targets).item() == before
    assert "attribute_set" not in LOSSES.validate({"kind": "attributes"}).model_dump()
    assert LOSSES.validate({"kind": "attributes", "attribute_set": "duke"}).model_dump()["attribute_set"] == "duke"


def test_features_are_classified_by_a_layer_of_its_own_on_each_tap(make_taps, make_loss, make_targets):
    taps, targets = make_taps(5, 3), make_targets(LABELS)
    loss = make_loss({"kind": "attributes"}, taps)
    assert sum(value.numel() for value in loss.parameters()) == 56 * (5 + 3) + 2 * 56
    torch.manual_seed(0)
    for parameter in loss.parameters():
        torch.nn.init.normal_(parameter)
    features = {tap.key: torch.randn(6, tap.dim) for tap in taps}
    values = []
    for classifier, tap in zip(loss.classifiers, taps, strict=True):
        logits = features[tap.key].double() @ classifier.weight.detach().double().T + classifier.bias.detach().double()
        values.append(_written_out(logits, targets.attributes))
    assert loss(features, targets).item() == pytest.approx(sum(values) / 2, rel=1e-6)


def test_starts_at_chance(make_taps, make_loss, make_targets):
    """26 decisions between two values and one between four."""
    taps = make_taps(64)
    value = make_loss({"kind": "attributes"}, taps)({taps[0].key: torch.randn(6, 64)}, make_targets(LABELS))
    assert value.item() == pytest.approx((26 * math.log(2) + math.log(4)) / 27, rel=0.01)


def test_each_attribute_moves_its_own_logits_only(make_loss, make_targets):
    """Another age changes the gradient of the four logits of age, which follow nine pairs."""
    tap, targets = _attribute_tap(56), make_targets(LABELS)
    loss = make_loss({"kind": "attributes"}, [tap])
    gradients = []
    for age in (0, 3):
        targets.attributes[:, list(ATTRIBUTES).index("age")] = age
        logits = torch.zeros(6, 56, requires_grad=True)
        loss({tap.key: logits}, targets).backward()
        gradients.append(logits.grad)
    changed = (gradients[0] != gradients[1]).any(0).nonzero().flatten()
    assert changed.tolist() == [18, 21]
    assert_close(gradients[0][:, 18], torch.full((6,), (0.25 - 1) / (27 * 6)))


@pytest.mark.parametrize("shape", [(27,), (54,), (56, 1, 1)])
def test_logits_of_another_number_are_refused(shape, make_loss):
    with pytest.raises(StudyError, match=r"attributes@coarse.*expected \[56\]"):
        make_loss({"kind": "attributes"}, [_attribute_tap(*shape)])
