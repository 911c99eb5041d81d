"""The control of part branches: an MGN's branch in everything but what its parts see."""

import pytest
import torch
from torch.testing import assert_close

from reid_search.errors import ReidSearchError, StudyError
from reid_search.models import count_macs, count_parameters

HEADS = {"embedding_dim": 64, "neck": "bnneck", "pooling": "max"}
BRANCH = {"architecture": "mgn", "parts": [3], **HEADS}
WHOLE = {"architecture": "part_control", "parts": 3, **HEADS}
SCATTERED = {**WHOLE, "sees": "scattered"}
both = pytest.mark.parametrize("settings", [WHOLE, SCATTERED], ids=["whole", "scattered"])


@both
def test_offers_the_taps_and_has_the_size_of_a_branch_with_stripes(settings, make_config, make_model):
    assert make_config(settings).taps((64, 32)) == make_config(BRANCH).taps((64, 32))
    model, branch = make_model(settings), make_model(BRANCH)
    assert count_parameters(model) == count_parameters(branch)
    assert count_macs(model, (64, 32)) == count_macs(branch, (64, 32))


@both
def test_starts_from_the_weights_of_a_branch_and_sees_the_same_whole(settings, make_model, images):
    model, branch = make_model(settings, seed=3).eval(), make_model(BRANCH, seed=3).eval()
    drawn, own = ([value for _, value in item.named_parameters()] for item in (branch, model))
    assert [value.shape for value in own] == [value.shape for value in drawn]
    assert_close(own, drawn, rtol=0, atol=0)
    taps, expected = model(images(4)), branch(images(4))
    for stage in ("coarse", "reduced", "neck"):
        assert_close(taps[f"p3.global@{stage}"], expected[f"p3.global@{stage}"])
        assert not torch.allclose(taps[f"p3.part1@{stage}"], expected[f"p3.part1@{stage}"])


def test_every_head_of_whole_sees_all_of_the_map(make_model, images):
    model = make_model(WHOLE).eval()
    taps, features = model(images(4)), model.backbone(images(4))
    for name in ("p3.global", "p3.part1", "p3.part2", "p3.part3"):
        assert_close(taps[f"{name}@coarse"], features.amax(dim=(2, 3)))
    assert not torch.allclose(taps["p3.part1@reduced"], taps["p3.part2@reduced"])


def test_scattered_parts_share_the_places_of_the_map(make_model, images):
    model = make_model(SCATTERED).eval()
    taps, features = model(images(4)), model.backbone(images(4))
    rows, columns = features.shape[2:]
    owners = [list(own) for own in model.places.tensor_split(3)]
    assert sorted(int(place) for own in owners for place in own) == list(range(rows * columns))
    assert {len(own) for own in owners} <= {rows * columns // 3, rows * columns // 3 + 1}
    for number, own in enumerate(owners, start=1):
        seen = torch.stack([features[:, :, place // columns, place % columns] for place in own])
        assert_close(taps[f"p3.part{number}@coarse"], seen.amax(dim=0))


def test_places_are_drawn_with_the_weights(make_model):
    first, second, other = (make_model(SCATTERED, seed=seed).places for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_whole_takes_any_size_and_scattered_its_own_alone(make_model, images):
    larger = images(2, (96, 48))
    make_model(WHOLE).eval()(larger)
    with pytest.raises(ReidSearchError, match="8×4, and this one is 12×6; give images of the size"):
        make_model(SCATTERED).eval()(larger)


def test_more_scattered_parts_than_places_are_refused(make_config):
    make_config({**WHOLE, "parts": 33}).taps((64, 32))
    with pytest.raises(StudyError, match=r"33 parts cannot share the places of a map of 8×4 .*at most 32"):
        make_config({**SCATTERED, "parts": 33}).taps((64, 32))
