"""The key of a trial: what decides its measurements, hashed."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from reid_search.study.trial.trial import TrialConfig

# Raise it where a release would measure an unchanged config otherwise. Every training then gets a new key and is run
# again; what was measured before stays under its old key.
SCHEMA_VERSION = 1
_KEY_DIGITS = 16


def trial_key(config: TrialConfig, data_fingerprint: str) -> str:
    """Return the key under which a training is stored and found again.

    Two configs share a key when they train the same thing: defaults are filled in, readouts do not count, losses are
    told by the taps they reach (one that reaches none does not count), and 1 equals 1.0.

    Args:
        config: The trial's config.
        data_fingerprint: What identifies the images and labels.
    """
    content = {"schema": SCHEMA_VERSION, "data_fingerprint": data_fingerprint, **training_content(config)}
    return digest(content) if SCHEMA_VERSION == 1 else f"{SCHEMA_VERSION}.{digest(content)}"


def schema_of(key: str) -> int:
    """Return the version of what a key hashes: 1 where it says none, as `2.0123456789abcdef` says 2."""
    version, separator, _ = key.partition(".")
    return int(version) if separator and version.isdecimal() else 1


def training_content(config: TrialConfig) -> dict[str, Any]:
    """Return the part of a config that decides what is trained, in a form that is equal where the training is."""
    content = config.model_dump(mode="json", exclude={"readouts", "losses"})
    for stage in (content, *content["training"]["stages"]):
        for place in config.data.places:
            stage["data"].pop(place, None)
    if config.data.holdout == 0:
        content["data"].pop("split_seed")
    content["losses"] = {
        name: {**loss.model_dump(mode="json", exclude={"on"}), "on": [tap.key for tap in config.loss_taps(name)]}
        for name, loss in config.losses.items()
        if config.loss_taps(name)
    }
    return content


def joint_fingerprint(fingerprints: Sequence[str]) -> str:
    """Return what identifies the data sets of a trial together; that of the only one, where there is one."""
    return fingerprints[0] if len(fingerprints) == 1 else digest(list(fingerprints))


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
