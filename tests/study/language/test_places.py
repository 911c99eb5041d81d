"""Which component a `kind`, `name` or `architecture` names is said by the field that holds it."""

from typing import Annotated, Any

import pytest
from pydantic import Field, SerializeAsAny

from reid_search.study import ARCHITECTURES, DATASETS, LOSSES, SCORERS, Config, StudyConfig, TrialConfig
from reid_search.study.component import ComponentFamily
from reid_search.study.language.merge import merged
from reid_search.study.language.places import Entries, Place

TRIAL = {"model": {"architecture": "mgn"}, "losses": {"x": {"kind": "graph"}}, "training": {"stages": [{}]}}
STUDY = {"base": TRIAL, "axes": {"system": {"variants": {"one": TRIAL}}}, "phases": [{"kind": "ablate"}]}


def place(root: Place, content: Any, *steps: str | int) -> Place:
    for step in steps:
        root = root.below(content, step)
        content = content[step] if isinstance(content, list) else content.get(step, {})
    return root


@pytest.mark.parametrize(
    ("steps", "family"),
    [
        (("data",), DATASETS),
        (("model",), ARCHITECTURES),
        (("losses", "x"), LOSSES),
        (("losses", "not there"), LOSSES),
        (("readouts", "default", "scorer"), SCORERS),
        (("training", "stages", 0, "data"), DATASETS),
        (("training", "optimizer"), None),
        (("training", "schedule"), None),
        (("training", "stages", 0), None),
        (("readouts", "default"), None),
        (("model", "parts"), None),
        (("nowhere", "at", "all"), None),
    ],
)
def test_the_field_says_the_family(steps: tuple[str | int, ...], family: ComponentFamily | None) -> None:
    assert place(Place(TrialConfig), TRIAL, *steps).family is family
    assert place(Place(StudyConfig), STUDY, "base", *steps).family is family
    assert place(Place(StudyConfig), STUDY, "axes", "system", "variants", "one", *steps).family is family


def test_a_phase_is_no_component() -> None:
    assert place(Place(StudyConfig), STUDY, "phases", 0).family is None
    assert merged(
        {"kind": "search", "trials": 3}, {"kind": "ablate"}, place(Place(StudyConfig), STUDY, "phases", 0)
    ) == {
        "kind": "ablate",
        "trials": 3,
    }


class _Wheel(Config):
    size: int = 1


class _Spoked(_Wheel):
    maker: str
    spokes: int = 30


class _Solid(_Wheel):
    maker: str
    weight: float = 2.0


def test_a_family_in_a_place_that_nothing_here_lists_follows_the_rule() -> None:
    """Also inside a component, in a list of them, in a union with others, and behind a name alone."""
    wheels = ComponentFamily("reid_search.losses", "maker", "wheel", "wheel")
    wheels.add("spoked", _Spoked)
    wheels.add("solid", _Solid)

    class Car(Config):
        kind: str
        wheel: Annotated[SerializeAsAny[_Wheel], wheels] | None = None
        spares: list[Annotated[SerializeAsAny[_Wheel], wheels]] = Field(default_factory=list)
        wish: Annotated[dict[str, Any], Entries(wheels)] = Field(default_factory=dict)

    LOSSES.add("car", Car)
    car = {"kind": "car", "wheel": {"maker": "spoked", "spokes": 20, "size": 3}, "spares": [{"maker": "solid"}]}
    base = {"losses": {"x": car}}
    loss = place(Place(TrialConfig), base, "losses", "x")
    for steps in (("wheel",), ("spares", 0), ("wish",)):
        assert place(loss, car, *steps).family is wheels
    over = {"losses": {"x": {"wheel": {"maker": "solid", "weight": 1.0}}}}
    assert merged(base, over, Place(TrialConfig))["losses"]["x"]["wheel"] == {
        "maker": "solid",
        "weight": 1.0,
        "size": 3,
    }
    short = {"losses": {"x": {"kind": "car", "wheel": "spoked"}}}
    over = {"losses": {"x": {"wheel": {"spokes": 5}}}}
    assert merged(short, over, Place(TrialConfig))["losses"]["x"]["wheel"] == {"maker": "spoked", "spokes": 5}
    assert Car.model_validate({"kind": "car", "wheel": {"maker": "solid"}}).wheel == _Solid(maker="solid")


def test_without_a_place_no_name_means_a_component() -> None:
    assert merged({"kind": "triplet", "margin": 1}, {"kind": "centre"}) == {"kind": "centre", "margin": 1}
