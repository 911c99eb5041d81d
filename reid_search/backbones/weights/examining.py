"""Trying files of weights, in another process so that a command that plans loads no torch; what was found is kept."""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from reid_search.common.elsewhere import answer_of
from reid_search.common.places import cache_folder, keep_in_cache
from reid_search.errors import ReidSearchError, StudyError, WeightsAbsent
from reid_search.records import LoadedWeights
from reid_search.records.provenance import versions
from reid_search.study import ModelConfig
from reid_search.study.trial.key import digest
from reid_search.study.trial.weights import WeightsConfig, naming

# Raise it when weights are read in another way, so that what was found before is found anew.
_READING = 4


def examine_weights(models: Iterable[ModelConfig], *, fetch: bool) -> list[LoadedWeights]:
    """Try every file of weights that some models name, as a trial will read it.

    Args:
        models: The models.
        fetch: Whether weights that `default` means, and that are not on this machine, are fetched; if not, they are
            passed over.

    Returns:
        What their backbones take, each once.

    Raises:
        StudyError: A file is not there, is not a weights file or does not fit; or there is no network to fetch it.
    """
    found: dict[str, LoadedWeights] = {}
    for model in models:
        for entry, (backbone, weights) in model.pretrained.items():
            name = f"{backbone} {weights.model_dump_json()}"
            if name not in found and (fetch or not _is_pending(backbone, weights)):
                with naming(entry):
                    found[name] = _examined(backbone, weights, fetch)
    return list(found.values())


def _is_pending(backbone: str, weights: WeightsConfig) -> bool:
    return weights.is_default and weights.default(backbone).cached() is None


def _examined(backbone: str, weights: WeightsConfig, fetch: bool) -> LoadedWeights:
    if fetch and _is_pending(backbone, weights):
        _asked({"fetch": True, "backbone": backbone, "weights": weights.model_dump(mode="json")})
    content = weights.content(backbone)
    named = weights.model_dump(mode="json")
    kept = cache_folder() / "weights" / f"{digest([_READING, versions(), backbone, content, named])}.json"
    with suppress(OSError, ValidationError):
        return LoadedWeights.model_validate_json(kept.read_bytes())
    found = _asked({"backbone": backbone, "weights": named})
    keep_in_cache(kept, found)
    return LoadedWeights.model_validate_json(found)


def _asked(question: dict[str, object]) -> str:
    """Return the answer to a question, of another process unless this one has loaded torch already."""
    try:
        found: dict[str, Any] = answer_of(__name__, question)
    except RuntimeError as error:
        raise ReidSearchError(f"the weights could not be tried: {error}") from None
    if "problem" in found:
        raise (WeightsAbsent if found["absent"] else StudyError)(found["problem"])
    return json.dumps(found)


def answer(question: dict[str, object]) -> dict[str, Any]:
    """Load torch, and return what a backbone takes, where the weights were fetched to, or what is wrong with them."""
    import torch

    from reid_search.backbones.weights.fetching import fetch
    from reid_search.backbones.weights.loading import try_weights

    backbone, weights = str(question["backbone"]), WeightsConfig.model_validate(question["weights"])
    try:
        if question.get("fetch"):
            return {"path": str(fetch(backbone, weights.default(backbone)))}
        with torch.random.fork_rng(devices=[]):
            return try_weights(backbone, weights).model_dump(mode="json")
    except StudyError as error:
        return {"problem": str(error), "absent": isinstance(error, WeightsAbsent)}
