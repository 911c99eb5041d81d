"""The path from a centre to the best that a search found, one axis after another.

Ablation analysis (Fawcett & Hoos 2016, "Analysing differences between algorithm configurations through ablation",
section 3): from the source configuration, in every round change the one parameter to its target value that helps most,
until the target is reached. Here a round chooses on the validation split; the arms of the finished path are trained
anew and answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reid_search.study.question.axes import Level
from reid_search.study.question.designs.arms import BASELINE, Arm, arms_of
from reid_search.study.question.designs.design import Asked, Design, Outline
from reid_search.study.question.space import Settings, Space
from reid_search.words import several


@dataclass(frozen=True)
class Move:
    """One axis of a configuration set to its level at the end of the path.

    Attributes:
        axis: The axis that moves.
        settings: All settings after it: axes that exist only now have their level at the end, those that exist no more
            are gone.
    """

    axis: str
    settings: Mapping[str, Level]

    @property
    def name(self) -> str:
        """What tables call it: `model.parts=[1, 2]`."""
        return f"{self.axis}={self.settings[self.axis].label}"


def end_of_path(space: Space, start: Settings, best: Settings) -> dict[str, Level]:
    """Return where a path ends: the best's level of every axis that it has, the start's of the others.

    Args:
        space: The base and the axes that may move.
        start: The settings that the path begins with.
        best: What the search found, also of axes that the space does not have.
    """
    return space.completed({**start, **{path: level for path, level in best.items() if path in space.axes}})


def moves(space: Space, here: Settings, end: Settings) -> list[Move]:
    """Return one move for every axis that exists here and differs from the end; none where the path is over.

    Args:
        space: The base and the axes that may move.
        here: The settings so far.
        end: Those at the end.
    """
    to_come = {path: level for path, level in end.items() if path not in here}
    differing = [path for path, level in here.items() if path in end and end[path] != level]
    return [Move(path, space.completed({**here, **to_come, path: end[path]})) for path in differing]


def path_arms(space: Space, start: Settings, steps: Sequence[Move]) -> list[Arm]:
    """Return the arms of a finished path: the start, then the settings after each step.

    Args:
        space: The base and the axes, as the arms are trained.
        start: The settings that the path begins with.
        steps: The moves that were chosen, in order.
    """
    named = [(f"step {number}: {move.name}", move.settings) for number, move in enumerate(steps, start=1)]
    return [Arm(name, settings, space.config(settings)) for name, settings in ((BASELINE, start), *named)]


def _start(asked: Asked) -> list[Arm]:
    """Return the arm that the path begins with; a run finds the others."""
    return arms_of(asked.space, asked.centre, [asked.centre])


def _outline(asked: Asked) -> Outline:
    axes = len(asked.space.axes)
    candidates = axes * (axes + 1) // 2
    most = f"at most {several(axes, 'step')} over {several(candidates, 'candidate')}"
    about = f"path from {asked.around} to the search's best, {most}"
    return Outline(about, candidates=candidates, most_arms=axes + 1)


def _any_axis(space: Space) -> None:
    """Accept every axis: a path goes to the levels that a search found."""


DESIGN = Design(
    "path",
    "path",
    _start,
    check=_any_axis,
    outlined=_outline,
    leads_to_best=True,
    decides_claims=False,
    in_steps=True,
    has_levels=False,
)
