"""Designs: which arms an ablation compares."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from reid_search.errors import StudyError
from reid_search.study.axes import Level
from reid_search.study.key import digest, training_content
from reid_search.study.space import Settings, Space
from reid_search.study.trial import TrialConfig

BASELINE = "baseline"


@dataclass(frozen=True)
class Arm:
    """One column of an ablation: settings, and the trial config that they make.

    Attributes:
        name: `baseline` for the centre, else what differs from it: `model.parts=[1, 2]`.
        settings: The level of every axis that exists here.
        config: The trial.
        tuned: What a search found for this arm alone.
    """

    name: str
    settings: Mapping[str, Level]
    config: TrialConfig = field(repr=False)
    tuned: Mapping[str, Level] = field(default_factory=dict)


def design_arms(design: str, space: Space, centre: Settings) -> list[Arm]:
    """Return the arms of a design, the centre first; no two of them train and test the same thing.

    Args:
        design: `one_factor` or `factorial`.
        space: The base and the axes that vary.
        centre: The settings of the centre.

    Raises:
        StudyError: An axis is a range without levels, or an arm is not a valid trial.
    """
    centre = space.active(centre)
    arms: dict[str, Arm] = {}
    for settings in (centre, *_DESIGNS[design](space, centre)):
        config = space.config(settings)
        name = _name(settings, centre)
        arms.setdefault(_identity(config), Arm(name, settings, config, space.found(settings)))
    return list(arms.values())


def check_levels(space: Space) -> None:
    """Make sure that every axis has levels to go through.

    Raises:
        StudyError: An axis is a range without `levels`.
    """
    for path, axis in space.axes.items():
        if not axis.design_levels:
            message = "a range needs `levels` to stand in a design or a grid, for example levels: [0.3, 1.2]"
            raise StudyError(f"axes.{path}: {message}")


def _one_factor(space: Space, centre: Settings) -> Iterator[Settings]:
    for path, axis in space.axes.items():
        if path in centre:
            for level in axis.design_levels:
                yield space.active({**centre, path: level})


def _factorial(space: Space, centre: Settings) -> Iterator[Settings]:
    del centre
    yield from space.combinations()


_DESIGNS: dict[str, Callable[[Space, Settings], Iterator[Settings]]] = {
    "one_factor": _one_factor,
    "factorial": _factorial,
}


def _name(settings: Settings, centre: Settings) -> str:
    changed = [
        f"{path}={level.label}" for path, level in settings.items() if path not in centre or centre[path] != level
    ]
    return ", ".join(changed) or BASELINE


def _identity(config: TrialConfig) -> str:
    readouts = {
        name: {**readout.model_dump(mode="json"), "taps": [tap.key for tap in config.readout_taps(name)]}
        for name, readout in config.readouts.items()
    }
    return digest({**training_content(config), "readouts": readouts})
