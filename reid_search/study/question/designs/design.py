"""What a design says of itself: how its arms are made, and everything in which it is special.

Whoever plans, runs, analyses or reports an ablation asks this description and knows no design by name.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from reid_search.errors import StudyError
from reid_search.study.question.designs.arms import Arm, arms_of
from reid_search.study.question.space import Settings, Space


@dataclass(frozen=True)
class Asked:
    """What a design is drawn for.

    Attributes:
        space: The base and the axes that vary.
        centre: The settings that the design stands around.
        around: What the study calls them: `base`, `best`, or a named arm.
        resolution: The resolution, of a design that has one.
        needed: The settings of every arm that the claims need.
    """

    space: Space
    centre: Settings
    around: str = "base"
    resolution: int | None = None
    needed: Iterable[Settings] = ()


@dataclass(frozen=True)
class Outline:
    """What a plan says of a design.

    Attributes:
        about: What it compares, in a few words: `one_factor around base`.
        aliases: Effects that it cannot tell apart, as equations.
        candidates: Trainings that choose among steps, where the arms are found as it runs: the most that there can be.
        most_arms: The most arms there can be; None where all are known.
    """

    about: str
    aliases: tuple[str, ...] = ()
    candidates: int = 0
    most_arms: int | None = None


def check_levels(space: Space) -> None:
    """Make sure that every axis has levels to go through.

    Raises:
        StudyError: An axis is a range without `levels`.
    """
    for path, axis in space.axes.items():
        if not axis.design_levels:
            message = "a range needs `levels` to stand in a design or a grid, for example levels: [0.3, 1.2]"
            raise StudyError(f"axes.{path}: {message}")


@dataclass(frozen=True)
class Design:
    """A design.

    Attributes:
        name: What a study file and a log call it.
        title: What a report calls it.
        arms: Returns its arms, the centre first where there is one; no two of them train and test the same thing.
        check: Raises a `StudyError` where an axis does not suit it.
        outlined: Returns what a plan says of it; where omitted, its name and what it stands around.
        resolution: The resolution that it has where a phase names none; None for a design without one.
        nothing: What is wrong where there is no arm beside the centre, with `{around}`; empty where nothing is.
        leads_to_best: Whether it begins at its centre and finds its arms as it runs, on the way to a search's best,
            choosing on the validation split.
        decides_claims: Whether its arms are fixed in advance, so that claims can be decided by them.
        of_claims: Whether its arms are those that the claims need, which compare them; there is no centre then.
        in_steps: Whether each arm is told by what it changes in the one before, and not in the centre.
        has_levels: Whether tables tell its arms by axis and level; else by their names.
        has_effects: Whether its combinations of levels have main effects and interactions.
    """

    name: str
    title: str
    arms: Callable[[Asked], list[Arm]]
    check: Callable[[Space], None] = check_levels
    outlined: Callable[[Asked], Outline] | None = None
    resolution: int | None = None
    nothing: str = ""
    leads_to_best: bool = False
    decides_claims: bool = True
    of_claims: bool = False
    in_steps: bool = False
    has_levels: bool = True
    has_effects: bool = False

    def outline(self, asked: Asked) -> Outline:
        """Return what a plan says of it."""
        return self.outlined(asked) if self.outlined else Outline(f"{self.name} around {asked.around}")

    def check_compares(self, arms: Sequence[Arm], around: str) -> None:
        """Make sure that there is something to compare.

        Raises:
            StudyError: There is no arm beside the centre, and the design says that this is a mistake.
        """
        if len(arms) <= 1 and self.nothing:
            raise StudyError(f"design: {self.name}: {self.nothing.format(around=around)}")


def around_centre(drawn: Callable[[Space, Settings], Iterator[Settings]]) -> Callable[[Asked], list[Arm]]:
    """Return how the arms of a design are made that goes from the space and its centre to settings.

    Args:
        drawn: Yields the settings of its centre first; gets those that exist of what it stands around.
    """

    def arms(asked: Asked) -> list[Arm]:
        settings = drawn(asked.space, asked.space.active(asked.centre))
        centre = next(settings)
        return arms_of(asked.space, centre, (centre, *settings))

    return arms
