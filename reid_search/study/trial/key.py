"""The key of a trial: what decides its measurements, hashed."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from reid_search.study.trial.config import DataConfig, DataFacts
from reid_search.study.trial.set_names import names_of
from reid_search.study.trial.trial import TrialConfig
from reid_search.study.trial.weights import WeightsConfig, weights_contents

# Raise it when a release makes keys differently. Every training then gets a new key and is run again; earlier
# measurements stay under their old keys. That an unchanged config measures something else is noted by
# `reid_search/records/code.py`.
SCHEMA_VERSION = 1
_KEY_DIGITS = 16

BY_CONTENT = "sha256-"
"""How the fingerprint of a data set begins that is a hash of its files' bytes."""


def trial_key(config: TrialConfig, data_fingerprint: str, weights: Mapping[str, object] | None = None) -> str:
    """Return the key under which a training is stored.

    Two configs share a key if they train the same thing: defaults are filled in, readouts are ignored, losses are
    compared by the taps they sit on (one that sits on none is ignored), and 1 equals 1.0. Pretrained weights are
    compared by the bytes of their file.

    Args:
        config: The trial's config.
        data_fingerprint: Identifies the images and labels.
        weights: What stands for the pretrained weights by entry; read from their files if omitted.

    Raises:
        WeightsAbsent: A file of weights is not there, or not yet.
    """
    weights = weights_contents(config.model) if weights is None else weights
    content = {"schema": SCHEMA_VERSION, "data_fingerprint": data_fingerprint, **training_content(config, weights)}
    return digest(content) if SCHEMA_VERSION == 1 else f"{SCHEMA_VERSION}.{digest(content)}"


def schema_of(key: str) -> int:
    """Return the schema version of a key: 2 for `2.0123456789abcdef`, 1 for a key without a version."""
    version, separator, _ = key.partition(".")
    return int(version) if separator and version.isdecimal() else 1


def training_content(config: TrialConfig, weights: Mapping[str, object]) -> dict[str, object]:
    """Return the part of a config that decides what is trained; equal for equal trainings.

    Args:
        config: The trial's config.
        weights: What stands for the pretrained weights in use, by entry; others change nothing.
    """
    content = without_places(config, weights, exclude={"readouts", "losses", "from_recipe"})
    if config.data.holdout == 0:
        content["data"].pop("split_seed")
    content["losses"] = {
        name: {**loss.model_dump(mode="json", exclude={"on"}), "on": [tap.key for tap in config.loss_taps(name)]}
        for name, loss in config.losses.items()
        if config.loss_taps(name)
    }
    return content


def without_places(config: TrialConfig, weights: Mapping[str, object], exclude: Collection[str] = ()) -> dict[str, Any]:
    """Return a config as plain data that does not say where its files are.

    Args:
        config: The trial's config.
        weights: What stands for the pretrained weights in use, by entry.
        exclude: Entries to leave out.
    """
    content = config.model_dump(mode="json", exclude=set(exclude))
    content["model"] |= {name: weights.get(name) for name, value in config.model if isinstance(value, WeightsConfig)}
    content["data"] = config.data.unplaced(content["data"])
    for stage, written in zip(config.training.stages, content["training"]["stages"], strict=True):
        written["data"] = config.stage_data(stage).unplaced(written["data"])
    return content


def joint_fingerprint(fingerprints: Sequence[str]) -> str:
    """Return one fingerprint for all data sets of a trial."""
    return fingerprints[0] if len(fingerprints) == 1 else digest(list(fingerprints))


def fingerprint_of_sets(data: DataConfig, fingerprints: Sequence[str]) -> str:
    """Return one fingerprint for the data sets that are trained and tested on, which says which test is which set.

    Those that are trained on come first. The same files at two places are one data set.

    Args:
        data: What is trained and tested on.
        fingerprints: That of each of `data.sets`.
    """
    if len({*fingerprints}) == 1:
        return fingerprints[0]
    uses = list(zip(data.sets, fingerprints, strict=True))
    tests = {split: next(own for use, own in uses if use.data == item) for split, item in data.tested.items()}
    return digest({"sets": list(dict.fromkeys(fingerprints)), "test": tests})


def joint_facts(facts: Sequence[tuple[DataConfig, DataFacts]], fingerprint: str) -> DataFacts:
    """Return what is known of all data sets of a trial together; where there are several, each is named."""
    names = names_of([data.as_entries for data, _ in facts])
    prefixes = [f"{name}: " if len({*names}) > 1 else "" for name in names]
    told = [item.told_of(prefix) for (_, item), prefix in zip(facts, prefixes, strict=True)]
    return DataFacts(
        fingerprint,
        {reason: count for item in told for reason, count in item.unused.items()},
        tuple(dict.fromkeys(note for item in told for note in item.notes)),
    )


def digest(content: object) -> str:
    """Return 16 hex digits of the SHA-256 of canonical JSON (sorted keys, whole floats as integers)."""
    text = json.dumps(_canonical(content), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]


def _canonical(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value
