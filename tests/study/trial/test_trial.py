"""What a trial refuses before anything trains."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from reid_search.errors import StudyError
from reid_search.study import TrialConfig, load_trial_file
from reid_search.study.component import WITH_DEFAULTS

Write = Callable[..., Path]

NO_MAPS = [None, [], "", False, 0]
MAY_BE_NULL = ("training.stages.0.optimizer", "training.stages.0.schedule", "readouts.default.scorer")
FULL = {
    "data": {"name": "synthetic", "preset": "tiny"},
    "model": {"architecture": "mgn", "backbone": "resnet10_thin", "embedding_dim": 64},
    "training": {
        "augment": {"erase": 0.5, "erasing": {"fill": "black"}},
        "stages": [{"name": "main", "images": 320, "optimizer": {"lr": 0.01}, "schedule": {"kind": "step"}}],
    },
    "readouts": {"default": {"scorer": {"kind": "k_reciprocal"}}},
}


def _maps(content: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every map in a trial's content."""
    if isinstance(content, Mapping):
        yield path
    items = content.items() if isinstance(content, Mapping) else enumerate(content) if isinstance(content, list) else ()
    for key, item in items:
        yield from _maps(item, (*path, key))


FILLED: dict[str, Any] = TrialConfig.model_validate(FULL).model_dump(mode="json", context=WITH_DEFAULTS)
PLACES = [path for path in _maps(FILLED) if path]


def _replaced(content: Any, path: tuple[str | int, ...], value: object) -> Any:
    if not path:
        return value
    copy = list(content) if isinstance(content, list) else dict(content)
    copy[path[0]] = _replaced(copy[path[0]], path[1:], value)  # type: ignore[call-overload, index]
    return copy


def _refusal(write: Write, content: object) -> str:
    path = write("", "trial.yaml")
    with path.open("w") as file:
        YAML(typ="safe").dump(content, file)
    with pytest.raises(StudyError) as caught:
        load_trial_file(path)
    return str(caught.value)


def test_the_trial_has_every_map(write: Write) -> None:
    assert {path[-1] for path in PLACES if isinstance(path[-1], str)} >= {
        *("data", "model", "losses", "training", "readouts", "batch", "pairs", "optimizer", "schedule", "augment"),
        *("erasing", "strides", "people", "nuisances", "scorer", "triplet", "default"),
    }


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_what_is_no_map_is_not_read_as_the_defaults(write: Write, path: tuple[str | int, ...]) -> None:
    name = ".".join(map(str, path))
    for value in NO_MAPS:
        if value is None and name in MAY_BE_NULL:
            continue
        message = _refusal(write, _replaced(FILLED, path, value))
        assert len(message.splitlines()) == 1
        assert message.startswith("trial.yaml:")
        assert f"{name}: " in message.replace(" (main)", "").replace("default.scorer.kind", "default.scorer")
