"""Which readouts a trial measures, if a study varies them.

Arms that differ only under `readouts.*` share one training. So every trial measures all variants of a readout that the
study's axes can make. Its record keeps that of the base under the readout's name (`default`), and any other under the
name and a hash of its settings (`default-3fa9c1`).
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from reid_search.study.question.axes import Axis
from reid_search.study.question.edits import apply_settings
from reid_search.study.question.space import extremes
from reid_search.study.trial.config import ReadoutConfig
from reid_search.study.trial.key import digest
from reid_search.study.trial.trial import TrialConfig

Readouts = Mapping[str, ReadoutConfig]
_READOUTS = TypeAdapter(dict[str, ReadoutConfig])
_HASH_DIGITS = 6


@dataclass(frozen=True)
class Measured:
    """A trial with every readout that it measures.

    Attributes:
        config: The trial with all variants as its readouts.
        stored: Name of each of the trial's own readouts → its name in the record.
    """

    config: TrialConfig
    stored: Mapping[str, str]


def measured(config: TrialConfig, base: Readouts, axes: Mapping[str, Axis]) -> Measured:
    """Return a trial with every variant of its readouts, given the readouts of the study's base and its axes."""
    stored = {name: _stored_name(name, readout, base) for name, readout in config.readouts.items()}
    readouts: dict[str, ReadoutConfig] = {}
    for variant in (*_variants(base, axes), config.readouts):
        for name, readout in variant.items():
            if config.can_measure(readout):
                readouts.setdefault(_stored_name(name, readout, base), readout)
    return Measured(config.model_copy(update={"readouts": readouts}), stored)


def _variants(base: Readouts, axes: Mapping[str, Axis]) -> Iterator[Readouts]:
    content = {"readouts": {name: readout.model_dump(mode="json") for name, readout in base.items()}}
    paths = [path for path in axes if path.startswith("readouts.")]
    yield base
    for levels in itertools.product(*(extremes(axes[path]) for path in paths)):
        changed = apply_settings(content, {path: level.value for path, level in zip(paths, levels, strict=True)})
        yield _READOUTS.validate_python(changed["readouts"])


def _stored_name(name: str, readout: ReadoutConfig, base: Readouts) -> str:
    if name in base and base[name].unmarked == readout.unmarked:
        return name
    return f"{name}-{digest(readout.unmarked.model_dump(mode='json'))[:_HASH_DIGITS]}"
