"""From a design's settings to arms: named after what differs from the centre, each different trial once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from reid_search.errors import StudyError
from reid_search.study.axes import Level
from reid_search.study.designs.components import add_one_in, leave_one_out
from reid_search.study.designs.factors import factorial, one_factor
from reid_search.study.designs.two_level import check_two_levels, fractional_factorial
from reid_search.study.key import digest, training_content
from reid_search.study.phases import DEFAULT_RESOLUTION, PATH_DESIGN
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


def design_arms(design: str, space: Space, around: Settings, resolution: int = DEFAULT_RESOLUTION) -> list[Arm]:
    """Return the arms of a design, the centre first; no two of them train and test the same thing.

    Args:
        design: `one_factor`, `leave_one_out`, `add_one_in`, `factorial` or `fractional_factorial`.
        space: The base and the axes that vary.
        around: The settings that the design stands around.
        resolution: What a fractional factorial must have.

    Raises:
        StudyError: An axis does not suit the design, or an arm is not a valid trial.
    """
    drawn = iter(_design(design, resolution)(space, space.active(around)))
    centre = next(drawn)
    return arms_of(space, centre, (centre, *drawn))


def arms_of(space: Space, centre: Settings, all_settings: Iterable[Settings]) -> list[Arm]:
    """Return arms with these settings, each different trial once, named after what differs from the centre.

    Raises:
        StudyError: An arm is not a valid trial.
    """
    arms: dict[str, Arm] = {}
    for settings in all_settings:
        config = space.config(settings)
        name = _name(settings, centre)
        arms.setdefault(arm_identity(config), Arm(name, settings, config, space.found(settings)))
    return list(arms.values())


def check_design(design: str, space: Space) -> None:
    """Make sure that every axis suits a design.

    Raises:
        StudyError: An axis is a range without `levels`; or, for a fractional factorial, an axis has not two levels or
            exists under a condition on another.
    """
    if design != PATH_DESIGN:  # which goes to levels that a search found
        check_levels(space)
    if design == "fractional_factorial":
        check_two_levels(space)


def check_compares(design: str, arms: Sequence[Arm], around: str) -> None:
    """Make sure that a design which switches components finds one to switch.

    Args:
        design: The design.
        arms: Its arms.
        around: What it stands around, as the study calls it.

    Raises:
        StudyError: There is no arm beside the centre.
    """
    if len(arms) > 1 or design not in _NOTHING:
        return
    raise StudyError(f"design: {design}: {_NOTHING[design].format(around=around)}")


def check_levels(space: Space) -> None:
    """Make sure that every axis has levels to go through.

    Raises:
        StudyError: An axis is a range without `levels`.
    """
    for path, axis in space.axes.items():
        if not axis.design_levels:
            message = "a range needs `levels` to stand in a design or a grid, for example levels: [0.3, 1.2]"
            raise StudyError(f"axes.{path}: {message}")


_Design = Callable[[Space, Settings], Iterator[Settings]]

# a design yields the settings of its centre first; it gets those that exist of what it stands around
_DESIGNS: dict[str, _Design] = {
    "one_factor": one_factor,
    "leave_one_out": leave_one_out,
    "add_one_in": add_one_in,
    "factorial": factorial,
}


_NOTHING = {
    "leave_one_out": "around {around} every axis of the phase is off, so there is nothing to leave out; stand it "
    "around the full system, a named arm, or say with `off` at which level an axis is off",
    "add_one_in": "no axis of the phase has a level beside off, so there is nothing to add; name the axes that have",
}


def _design(name: str, resolution: int) -> _Design:
    if name == "fractional_factorial":
        return partial(fractional_factorial, resolution=resolution)
    return _DESIGNS[name]


def _name(settings: Settings, centre: Settings) -> str:
    changed = [
        f"{path}={level.label}" for path, level in settings.items() if path not in centre or centre[path] != level
    ]
    return ", ".join(changed) or BASELINE


def arm_identity(config: TrialConfig) -> str:
    """Return what is equal where two arms train and test the same thing."""
    readouts = {
        name: {**readout.model_dump(mode="json"), "taps": [tap.key for tap in config.readout_taps(name)]}
        for name, readout in config.readouts.items()
    }
    return digest({**training_content(config), "readouts": readouts})
