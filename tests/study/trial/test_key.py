"""Keys: what names a training, and what does not."""

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_search.study import TrialConfig, trial_key
from reid_search.study.component import WITH_DEFAULTS
from reid_search.study.trial.key import digest

MakeTrial = Callable[..., TrialConfig]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


def respelled(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """Return the same content with keys in another order, whole numbers as floats or integers, lists as tuples."""
    if isinstance(value, dict):
        return {key: respelled(value[key], draw) for key in draw(st.permutations(sorted(value)))}
    if isinstance(value, list):
        items = [respelled(item, draw) for item in value]
        return tuple(items) if draw(st.booleans()) else items
    if (isinstance(value, float) and value.is_integer()) or (type(value) is int and abs(value) <= 2**53):
        return draw(st.sampled_from([int(value), float(value)]))
    return value


@given(content=JSON, data=st.data())
def test_a_digest_does_not_see_spelling(content: Any, data: st.DataObject) -> None:
    assert digest(content) == digest(respelled(content, data.draw))


def same_content(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_content, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_content(left[key], right[key]) for key in left)
    return bool(left == right)


@given(left=JSON, right=JSON)
def test_a_digest_sees_everything_else(left: Any, right: Any) -> None:
    assert (digest(left) == digest(right)) == same_content(left, right)


def test_a_digest_is_the_start_of_the_sha_256_of_canonical_json() -> None:
    text = '{"a":[1,2.5,"ä",null,true],"b":{"c":-3}}'.replace("ä", "\\u00e4")
    wanted = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert digest({"b": {"c": -3.0}, "a": (1.0, 2.5, "ä", None, True)}) == wanted
    with pytest.raises(ValueError, match="JSON"):
        digest(math.nan)


def test_written_out_defaults_do_not_matter(trial: MakeTrial) -> None:
    config = trial()
    written = json.loads(config.model_dump_json())
    assert written["losses"]["triplet"]["margin"] == 1.2
    assert trial_key(TrialConfig.model_validate(written), "f") == trial_key(config, "f")


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_neither_the_order_of_keys_nor_one_point_zero_matters(data: st.DataObject) -> None:
    content = {
        "data": {"name": "synthetic", "seed": 1, "holdout": 0.5},
        "model": {"architecture": "mgn", "strides": {"1": 2, "3": 1}},
        "losses": {"triplet": {"margin": 1, "weight": 2}, "identity": {"label_smoothing": 0}},
        "training": {"optimizer": {"lr": 1, "momentum": 0}, "augment": {"flip": 1}, "images": 640},
    }
    spelled = respelled(content, data.draw)
    assert trial_key(TrialConfig.model_validate(spelled), "f") == trial_key(TrialConfig.model_validate(content), "f")


OTHER: dict[str, Any] = {
    "data.name": None,
    "data.image_size": [64, 48],
    "data.interpolation": "bicubic",
    "data.holdout": 0.3,
    "data.split_seed": 1,
    "data.preset": "small",
    "data.seed": 1,
    "data.people": {"twins": 0.5},
    "data.nuisances": {"blur": 0.1},
    "data.boxes": "labelled",
    "data.test_cameras": "others",
    "model.architecture": "baseline",
    "model.backbone": "resnet18",
    "model.weights": "other.safetensors",
    "model.pooling": "avg",
    "model.reduction": "conv_bn",
    "model.neck": "bnneck",
    "model.parts": [1, 2],
    "model.split": "layer3",
    "model.strides": {3: 2},
    "model.reduction_shared": True,
    "model.branches": "one",
    "model.dropout": 0.5,
    "model.embedding_dim": 128,
    "losses.identity.on": ["global@coarse"],
    "losses.identity.weight": 2,
    "losses.identity.label_smoothing": 0.1,
    "losses.identity.bias": False,
    "losses.identity.shared": True,
    "losses.identity.dropout": 0.5,
    "losses.identity.logits": "cosine",
    "losses.identity.scale": 32,
    "losses.identity.margin": 0.2,
    "losses.identity.kind": "triplet",
    "losses.triplet.on": ["part@reduced"],
    "losses.triplet.weight": 0.5,
    "losses.triplet.margin": "soft",
    "losses.triplet.mining": "all",
    "losses.triplet.distance": "squared",
    "losses.triplet.normalize": True,
    "losses.triplet.kind": "cross_entropy",
    "training.images": 640,
    "training.report_every": 64,
    "training.batch": {"ids": 4},
    "training.optimizer": {"lr": 1e-3},
    "training.lr_multiplier": 3.0,
    "training.schedule": {"warmup": 0.2},
    "training.augment": {"erase": 0.5},
    "training.precision": "amp",
    "training.threads": 2,
    "training.stages": [{"name": "a", "images": 160}, {"name": "b", "images": 160, "train": ["branches.*"]}],
}


def entries(config: TrialConfig) -> Iterator[str]:
    content = config.model_dump(mode="json", context=WITH_DEFAULTS)
    for top in ("data", "model", "training"):
        yield from (f"{top}.{name}" for name in content[top])
    for loss, fields in content["losses"].items():
        yield from (f"losses.{loss}.{name}" for name in fields)


def test_every_entry_of_a_training_is_tried_below(trial: MakeTrial) -> None:
    assert set(entries(trial())) == set(OTHER)


@pytest.mark.parametrize("path", [path for path in OTHER if path != "data.name"])
def test_everything_that_changes_the_training_changes_the_key(
    path: str, trial: MakeTrial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.safetensors").write_bytes(b"weights")
    context = {
        "losses.identity.shared": {"losses.identity.on": ["part@reduced"]},
        "model.dropout": {"model.pooling": "fc"},
    }.get(path, {})
    assert trial_key(trial({**context, path: OTHER[path]}), "f") != trial_key(trial(context), "f")


def test_other_images_change_the_key(trial: MakeTrial) -> None:
    assert trial_key(trial(), "0123456789abcdef") != trial_key(trial(), "0123456789abcdee")


@pytest.mark.parametrize(
    "changes",
    [
        {"readouts.default.flip": False},
        {"readouts.extra": {"taps": ["coarse"], "metric": "euclidean"}},
        {"losses.triplet.on": ["p1.global@reduced", "p2.global@reduced", "p3.global@reduced"]},
        {"losses.triplet.on": ["global@reduced", "p1.*@reduced"]},
        {"losses.triplet.on": "global@reduced"},
        {"losses.extra": {"kind": "triplet", "on": []}},
        {"losses.extra": {"kind": "triplet", "on": ["attribute@reduced"], "margin": 0.7}},
        {"losses.extra": {"kind": "triplet", "on": ["global@reduced"], "weight": 0}},
    ],
)
def test_what_does_not_change_the_training_does_not_change_the_key(changes: dict[str, Any], trial: MakeTrial) -> None:
    assert trial_key(trial(changes), "f") == trial_key(trial(), "f")


def test_settings_of_a_loss_that_is_switched_off_do_not_matter(trial: MakeTrial) -> None:
    off = {"losses.triplet.on": []}
    assert trial_key(trial({**off, "losses.triplet.margin": 0.3}), "f") == trial_key(trial(off), "f")
    assert trial_key(trial(off), "f") != trial_key(trial(), "f")


def test_without_holdout_the_split_does_not_matter(trial: MakeTrial) -> None:
    whole = {"data.holdout": 0}
    assert trial_key(trial({**whole, "data.split_seed": 7}), "f") == trial_key(trial(whole), "f")


def test_where_the_images_lie_does_not_matter(base: dict[str, Any]) -> None:
    keys = set()
    for root in (None, "here", "there"):
        config = TrialConfig.model_validate({**base, "data": {"name": "market1501", "root": root}})
        keys.add(trial_key(config, "f"))
    assert len(keys) == 1
