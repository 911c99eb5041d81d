"""Whether what was trained is what a folder is named after: the key of a trial, made again from the config on disk."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from reid_search.errors import StudyError
from reid_search.records.weights import LoadedWeights
from reid_search.study import SCHEMA_VERSION, TrialConfig, schema_of, trial_key
from reid_search.study.trial.normalization import IMAGENET
from reid_search.study.trial.weights import WeightsConfig

_KEPT = 4_096


def key_of_config(
    config: Mapping[str, object], data_fingerprint: str, weights: Sequence[LoadedWeights], like: str
) -> str | None:
    """Return the key that a config on disk makes; None where this release cannot tell.

    It cannot tell if the key is of another schema, if the config is not valid today (an earlier release may have
    allowed more, or had a component that is gone), or if nobody noted what its weights were. No file of the data or of
    the weights is looked at.

    Args:
        config: The config as it was written.
        data_fingerprint: What identifies its images and labels.
        weights: What was taken from each file of weights.
        like: The key that is expected.
    """
    if schema_of(like) != SCHEMA_VERSION:
        return None
    contents = [[item.backbone, item.file, _content(item)] for item in weights]
    return _key_of(json.dumps([config, data_fingerprint, contents]))


@lru_cache(maxsize=_KEPT)
def _key_of(text: str) -> str | None:
    """Return the key of a config, which the seeds of an arm share."""
    content, fingerprint, weights = json.loads(text)
    try:
        config = TrialConfig.model_validate(_without_roots(content))
    except (ValidationError, StudyError):
        return None
    known = {(backbone, file): found for backbone, file, found in weights}
    contents: dict[str, object] = {}
    for entry, (backbone, settings) in config.model.pretrained.items():
        name = backbone, str(settings.file)
        if name not in known:
            return None
        contents[entry] = known[name] | _settings(settings)
    return trial_key(config, fingerprint, contents)


def _content(loaded: LoadedWeights) -> dict[str, object]:
    """Return what a key has of a file of weights, as `WeightsConfig.content` does."""
    usual = loaded.normalization == IMAGENET
    return {"sha256": loaded.sha256, **({} if usual else loaded.normalization.model_dump(mode="json"))}


def _settings(weights: WeightsConfig) -> dict[str, object]:
    return {name: value for name in ("take", "grid") if (value := getattr(weights, name)) is not None}


def _without_roots(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config that names no folder of data, which may be gone; what it offered then is not asked."""
    found = deepcopy(dict(content))
    training = found.get("training")
    stages = training.get("stages") if isinstance(training, dict) else None
    for data in (found.get("data"), *(stage.get("data") for stage in stages or () if isinstance(stage, dict))):
        if isinstance(data, dict):
            tests = data.get("test")
            members = (*(data.get("train") or ()), *(tests.values() if isinstance(tests, dict) else ()))
            for item in (data, *members):
                if isinstance(item, dict):
                    item.pop("root", None)
    return found
