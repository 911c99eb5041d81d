"""Trying files of weights, in another process so that a command that plans loads no torch; what was found is kept."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from reid_search.common.places import cache_folder
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
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(f".{os.getpid()}")
        unfinished.write_text(found)
        unfinished.replace(kept)
    return LoadedWeights.model_validate_json(found)


def _asked(question: dict[str, object]) -> str:
    """Return the answer to a question, of another process unless this one has loaded torch already."""
    answer = _answer(question) if "torch" in sys.modules else _answer_elsewhere(question)
    if "problem" in answer:
        raise (WeightsAbsent if answer["absent"] else StudyError)(answer["problem"])
    return json.dumps(answer)


def _answer_elsewhere(question: dict[str, object]) -> dict[str, Any]:
    """Return the answer of a process that loads torch."""
    command = [sys.executable, "-m", "reid_search.backbones.weights.examining", json.dumps(question)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | _PYTHONPATH)
    if done.returncode:
        raise ReidSearchError(f"the weights could not be tried: {done.stderr.strip()}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


_PYTHONPATH = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _answer(question: dict[str, object]) -> dict[str, Any]:
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


if __name__ == "__main__":
    print(json.dumps(_answer(json.loads(sys.argv[1]))))  # noqa: T201  (the answer of this process)
