"""From a design's settings to arms: named after what differs from the centre, each different trial once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reid_search.errors import StudyError
from reid_search.study.question.axes import Level
from reid_search.study.question.space import Settings, Space
from reid_search.study.trial.key import digest, training_content
from reid_search.study.trial.trial import TrialConfig
from reid_search.study.trial.weights import weights_as_named, weights_contents

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


def _name(settings: Settings, centre: Settings) -> str:
    changed = [
        f"{path}={level.label}" for path, level in settings.items() if path not in centre or centre[path] != level
    ]
    return ", ".join(changed) or BASELINE


def arm_identity(config: TrialConfig) -> str:
    """Return what is equal where two arms train and test the same thing; files at two places are not the same."""
    readouts = {
        name: {**readout.model_dump(mode="json"), "taps": [tap.key for tap in config.readout_taps(name)]}
        for name, readout in config.readouts.items()
    }
    places = dict(config.data.located)
    return digest(
        {**training_content(config, weights_of(config)), "readouts": readouts, **({"places": places} if places else {})}
    )


def weights_of(config: TrialConfig) -> dict[str, object]:
    """Return what stands for a trial's weights: their content, or how they are named where they cannot be read."""
    try:
        return weights_contents(config.model)
    except StudyError:
        return weights_as_named(config.model)
