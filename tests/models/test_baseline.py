"""The baseline: one global branch."""

import pytest

from reid_search.models import count_parameters

RESNET50 = 23_508_032


@pytest.mark.parametrize(
    ("settings", "readout"),
    [
        ({}, ("neck",)),
        ({"embedding_dim": 64}, ("neck",)),
        ({"neck": "none", "embedding_dim": 64}, ("reduced",)),
        ({"neck": "none"}, ("coarse",)),
    ],
    ids=str,
)
def test_is_read_out_at_its_last_stage(settings, readout, make_config):
    assert make_config({"architecture": "baseline", **settings}).default_readout == readout


def test_strong_baseline_is_resnet50_with_a_neck(make_model):
    model = make_model({"architecture": "baseline", "backbone": "resnet50"}, (256, 128), device="meta")
    assert count_parameters(model) == RESNET50 + 2 * 2048
    assert model.branches[0].blocks.get_submodule("layer4_0").conv2.stride == (1, 1)
