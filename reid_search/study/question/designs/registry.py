"""The designs that a study file may name."""

from functools import cache

from reid_search.errors import StudyError, nearest
from reid_search.study.plugins import load_plugin, plugins, wrong
from reid_search.study.question.designs import (
    add_one_in,
    claims,
    factorial,
    fractional_factorial,
    leave_one_out,
    one_factor,
    path,
)
from reid_search.study.question.designs.arms import Arm
from reid_search.study.question.designs.design import Asked, Design

_OWN = (one_factor, leave_one_out, add_one_in, factorial, fractional_factorial, claims, path)
_added: dict[str, Design] = {}


def designs() -> dict[str, Design]:
    """Return every design by name: those of this package, of entry points `reid_search.designs`, and added ones."""
    return {**_own(), **_of_others(), **_added}


def design_named(name: str) -> Design:
    """Return a design.

    Raises:
        StudyError: No design has this name.
    """
    known = designs()
    if name not in known:
        raise StudyError(f"{name!r} is not a choice; {nearest(name, known)}")
    return known[name]


def design_of_record(name: str) -> Design:
    """Return the design by which a log says that arms came about; of one that is not known here only its name."""
    return designs().get(name) or Design(name, name, _unknown_arms)


def add_design(design: Design) -> None:
    """Make a design of another package known in this process (other processes need an entry point)."""
    _added[design.name] = design


def _unknown_arms(asked: Asked) -> list[Arm]:
    raise StudyError(f"the design around {asked.around} is not known to this release; allowed: {', '.join(designs())}")


def _own() -> dict[str, Design]:
    return {module.DESIGN.name: module.DESIGN for module in _OWN}


@cache
def _of_others() -> dict[str, Design]:
    found: dict[str, Design] = {}
    for name, points in plugins("reid_search.designs").items():
        design = load_plugin(points, built_in=name in _own())
        if not isinstance(design, Design) or design.name != name:
            raise wrong(points[0], f"names {design!r}; expected a `Design` whose name is '{name}'")
        found[name] = design
    return found
