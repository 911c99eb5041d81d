"""What a contrast compares, by content: the same whatever claims, phases, axes' levels and arms are called."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from reid_search.study.question.designs.arms import Arm, arm_identity, weights_of
from reid_search.study.trial.key import digest, training_content
from reid_search.study.trial.trial import TrialConfig

_DRAWN_BY = ("seed", "split_seed")  # entries of data, which nothing else in a trial's config has
_DIGITS = 9  # to which weights are compared, relative to the largest


def contrast_identity(
    effect: Mapping[str, float], arms: Sequence[Arm], readout: str, metric: str
) -> tuple[str, Literal[-1, 1]]:
    """Return what is equal for equal contrasts, and a sign that is opposite for the same one the other way round.

    Arms count by what they train and how they are tested, without the seeds that people and validation splits are drawn
    with. So other people, more seeds, another name and the opposite claim ask the same; another base asks something
    else, and so does the same claim around another best of a search.

    Args:
        effect: Weight of each arm, by name.
        arms: The arms.
        readout: Name of the readout that decides.
        metric: The metric that decides, maybe of one of several tests.
    """
    configs = {arm.name: arm.config for arm in arms}
    measured = {name: _measured(configs[name], readout) for name in effect}
    weights, sign = normalised([(measured[name], weight) for name, weight in effect.items()])
    if not weights:  # its arms differ in nothing but what data they are on
        weights, sign = normalised([(arm_identity(configs[name]), weight) for name, weight in effect.items()])
    return digest({"weights": weights, "metric": metric}), sign


def normalised(weights: Sequence[tuple[str, float]]) -> tuple[list[tuple[str, float]], Literal[-1, 1]]:
    """Return weights by name, equal for contrasts that differ by a factor, and the sign of that factor."""
    total: dict[str, float] = {}
    for name, weight in weights:
        total[name] = total.get(name, 0.0) + weight
    largest = max(map(abs, total.values()), default=0.0)
    kept = [(name, weight) for name, weight in sorted(total.items()) if abs(weight) > 10**-_DIGITS * largest]
    sign: Literal[-1, 1] = -1 if kept and kept[0][1] < 0 else 1
    return [(name, round(sign * weight / largest, _DIGITS)) for name, weight in kept], sign


def data_seeds(config: TrialConfig) -> dict[str, int]:
    """Return the seeds that people and validation splits are drawn with, by path."""
    return dict(_drawn_by(training_content(config, {})))


def _measured(config: TrialConfig, readout: str) -> str:
    """Return what is equal where two arms train the same and are tested in the same way, on whatever was drawn."""
    tested = {
        **config.readouts[readout].unmarked.model_dump(mode="json"),
        "taps": [tap.key for tap in config.readout_taps(readout)],
    }
    return digest({"training": _undrawn(training_content(config, weights_of(config))), "readout": tested})


def _undrawn(content: object) -> object:
    """Return a part of a config without the seeds of data."""
    if isinstance(content, Mapping):
        return {name: _undrawn(value) for name, value in content.items() if name not in _DRAWN_BY}
    return [_undrawn(item) for item in content] if isinstance(content, list | tuple) else content


def _drawn_by(content: object, path: str = "") -> Iterator[tuple[str, int]]:
    entries: Iterable[tuple[object, object]] = ()
    if isinstance(content, Mapping | list | tuple):
        entries = content.items() if isinstance(content, Mapping) else enumerate(content)
    for name, value in entries:
        if name in _DRAWN_BY and isinstance(value, int):
            yield f"{path}{name}", value
        else:
            yield from _drawn_by(value, f"{path}{name}.")
