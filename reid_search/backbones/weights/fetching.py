"""Fetching the weights that `default` means, into the cache of the library that publishes them."""

from pathlib import Path

from reid_search.errors import WeightsAbsent
from reid_search.study.trial.weights import DefaultWeights


def fetch(backbone: str, default: DefaultWeights) -> Path:
    """Return the file of a backbone's default weights, fetched where it is not in the local cache.

    Raises:
        WeightsAbsent: It is in no cache, and cannot be fetched; the message says which file belongs where.
    """
    cached = default.cached()
    if cached is not None:
        return cached
    try:
        _fetched(default)
    except Exception as error:  # requests, urllib and the file system each have their own kinds
        reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        raise WeightsAbsent(f"{_what_to_do(backbone, default)} ({reason})") from error
    found = default.cached()
    if found is None:
        raise WeightsAbsent(_what_to_do(backbone, default))
    return found


def _fetched(default: DefaultWeights) -> None:
    if default.is_url:
        from torch.hub import download_url_to_file

        default.place.parent.mkdir(parents=True, exist_ok=True)
        prefix = default.place.stem.rpartition("-")[2]
        download_url_to_file(default.source, str(default.place), hash_prefix=prefix, progress=False)
    else:
        from huggingface_hub import hf_hub_download

        hf_hub_download(default.source, "model.safetensors", cache_dir=default.place.parent)


def _what_to_do(backbone: str, default: DefaultWeights) -> str:
    """Say which file belongs where on a machine without a network."""
    lacking = f"default: the weights of {backbone} are not on this machine and cannot be fetched"
    if default.is_url:
        return f"{lacking}; without a network, put {default.source} at {default.place}"
    content = ["file: /path/to/model.safetensors", f"mean: {list(default.normalization.mean)}"]
    named = ", ".join([*content, f"std: {list(default.normalization.std)}"])
    place = f"name the file itself: weights: {{{named}}}"
    return f"{lacking}; without a network, take model.safetensors of huggingface.co/{default.source} and {place}"
