"""Reading YAML: scalars, places, `extends`, overrides."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_search.errors import StudyError
from reid_search.study.language.document import Document, parse_value, read_document, split_path
from reid_search.study.language.merge import merged

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        (".5", 0.5),
        ("+3", 3),
        ("-7", -7),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("12:30:45", "12:30:45"),
        ("2020-01-31", "2020-01-31"),
        ("2020-01-31T10:00:00Z", "2020-01-31T10:00:00Z"),
        ("<<", "<<"),
        ("=", "="),
        ("'1'", "1"),
        ("!tag 3", "3"),
        ("[1, soft]", [1, "soft"]),
        ("{on: 1, 2: x}", {"on": 1, 2: "x"}),
        ("", ""),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


def test_what_is_read_is_plain_data(write: Write) -> None:
    data = read_document(write("a: {b: [1, 1e-4, x, 'y', true, null]}\n")).data

    def kinds(value: Any) -> set[type]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return {type(value)}.union(*(kinds(item) for item in inner))

    assert kinds(data) == {dict, list, int, float, str, bool, type(None)}


def test_every_entry_has_its_line(write: Write) -> None:
    document = read_document(write("a:\n  b: 1\n  c:\n    - x\n    - y: 2\nd: {e: 3,\n    f: 4}\n"))
    lines = {"a": 1, "a.b": 2, "a.c": 3, "a.c.0": 4, "a.c.1": 5, "a.c.1.y": 5, "d": 6, "d.e": 6, "d.f": 7}
    for path, line in lines.items():
        steps = [int(step) if step.isdigit() else step for step in path.split(".")]
        assert document.place(steps) == f"study.yaml:{line}"
    assert document.place(["a", "b", "missing"]) == "study.yaml:2"
    assert document.place(["nothing"]) == "study.yaml"


def test_extends_merges_maps_replaces_lists_and_deletes_with_null(write: Write) -> None:
    write("a: {b: 1, c: 2, d: {e: 3}}\nl: [1, 2, 3]\nm: [{x: 1}]\n", "below.yaml")
    document = read_document(
        write("extends: below.yaml\na: {c: 20, b: null, gone: null, d: {f: 4}}\nl: [9]\nn: {o: null}\n")
    )
    assert document.data == {"a": {"c": 20, "d": {"e": 3, "f": 4}}, "l": [9], "m": [{"x": 1}], "n": {"o": None}}


def test_extends_is_relative_to_the_file_and_goes_on(write: Write, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write("a: 1\nb: 1\nc: 1\n", "deep/one.yaml")
    write("extends: one.yaml\nb: 2\nc: 2\n", "deep/two.yaml")
    document = read_document(write("extends: deep/two.yaml\nc: 3\n"))
    assert document.data == {"a": 1, "b": 2, "c": 3}
    assert [document.place([key]) for key in "abc"] == ["deep/one.yaml:1", "deep/two.yaml:2", "study.yaml:2"]


def test_places_of_what_was_replaced_are_forgotten(write: Write) -> None:
    write("\n\na: {b: {c: 1}}\nl: [{x: 1}]\n", "below.yaml")
    document = read_document(write("extends: below.yaml\na: {b: 2}\nl:\n  - {y: 1}\n"))
    assert document.place(["a", "b", "c"]) == "study.yaml:2"
    assert document.place(["l", 0, "x"]) == "study.yaml:4"
    overridden = document.overridden(["a={q: 1}"])
    assert overridden.place(["a", "b"]) == "--set a={q: 1}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["x", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
MAPS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


@given(below=MAPS, above=MAPS)
def test_merging_against_its_rules_entry_by_entry(below: dict[str, Any], above: dict[str, Any]) -> None:
    result = merged(below, above)
    for key in "abc":
        if key not in above:
            assert (key in result, result.get(key)) == (key in below, below.get(key))
        elif above[key] is None:
            assert key not in result
        elif isinstance(above[key], dict) and isinstance(below.get(key), dict):
            assert result[key] == merged(below[key], above[key])
        else:
            assert result[key] == above[key]


@given(below=MAPS)
def test_merging_nothing_changes_nothing(below: dict[str, Any]) -> None:
    assert merged(below, {}) == below


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a", ["a"]),
        ("a.b.0", ["a", "b", "0"]),
        ('axes."model.parts".choice', ["axes", "model.parts", "choice"]),
        ('"a.b"', ["a.b"]),
        ('"a.b"."c.d"', ["a.b", "c.d"]),
        ('a."b', ["a", '"b']),
    ],
)
def test_splitting_paths(text: str, steps: list[str]) -> None:
    assert split_path(text) == steps


DATA: dict[str, Any] = {
    "base": {"lr": 1, "strides": {1: 2}},
    "axes": {"model.parts": {"choice": [1]}},
    "phases": [{"kind": "search", "trials": 4}, {"kind": "ablate", "name": "deep", "seeds": 2}],
}


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("base.lr=1e-3", ("base", "lr"), 1e-3),
        ("base.new.deep=[1, x]", ("base", "new", "deep"), [1, "x"]),
        ("base.strides.1=1", ("base", "strides", 1), 1),
        ("base.text=a=b", ("base", "text"), "a=b"),
        ('axes."model.parts".choice=[2]', ("axes", "model.parts", "choice"), [2]),
        ("axes.model.parts.choice=[2]", ("axes", "model.parts", "choice"), [2]),
        ('axes."model.neck".choice=[none]', ("axes", "model.neck", "choice"), ["none"]),
        ("phases.search.trials=8", ("phases", 0, "trials"), 8),
        ("phases.deep.seeds=5", ("phases", 1, "seeds"), 5),
        ("phases.ablate.seeds=5", ("phases", 1, "seeds"), 5),
        ("phases.1.seeds=5", ("phases", 1, "seeds"), 5),
        (" base.lr = 2", ("base", "lr"), 2),
    ],
)
def test_an_override_sets_one_entry(setting: str, path: tuple[Any, ...], value: object) -> None:
    document = Document(DATA).overridden([setting])
    found: Any = document.data
    for step in path:
        found = found[step]
    assert found == value
    assert document.place(path) == f"--set {setting}"
    assert DATA["phases"][0] == {"kind": "search", "trials": 4}


def test_an_override_with_null_deletes(write: Write) -> None:
    document = read_document(write("a: {b: 1, c: 2}\np:\n- {kind: x}\n- {kind: y}\n- {kind: z, q: 1}\n"))
    shorter = document.overridden(["a.b=null", "p.x=null"])
    assert shorter.data == {"a": {"c": 2}, "p": [{"kind": "y"}, {"kind": "z", "q": 1}]}
    assert [shorter.place(["p", 0]), shorter.place(["p", 1, "q"])] == ["study.yaml:4", "study.yaml:5"]
    assert shorter.place(["a", "c"]) == "study.yaml:1"


def test_overrides_come_in_order() -> None:
    assert Document(DATA).overridden(["base={a: 1}", "base.b=2", "base.a=3"]).data["base"] == {"a": 3, "b": 2}


@pytest.mark.parametrize("setting", ["x", "=3", "a..b=1", "a.=1", ".a=1"])
def test_an_override_that_is_none(setting: str) -> None:
    with pytest.raises(StudyError, match=r"^--set "):
        Document(DATA).overridden([setting])


def test_an_alias_stands_for_its_anchor(write: Write) -> None:
    assert read_document(write("a: &x {b: 1}\nc: *x\n")).data == {"a": {"b": 1}, "c": {"b": 1}}


def test_files_that_extend_each_other_in_a_circle(write: Write) -> None:
    write("extends: study.yaml\n", "other.yaml")
    with pytest.raises(StudyError, match=r"extends itself through study\.yaml → other\.yaml → study\.yaml"):
        read_document(write("extends: other.yaml\n"))


def test_a_null_beside_a_recipe_stays_since_it_may_delete_what_is_the_recipe_s(write: Write) -> None:
    document = read_document(write("base: {recipe: mgn, model: {weights: a.pth}}\nother: {model: {weights: a.pth}}\n"))
    changed = document.overridden(["base.model.weights=null", "base.losses.triplet=null", "other.model.weights=null"])
    assert changed.data == {
        "base": {"recipe": "mgn", "model": {"weights": None}, "losses": {"triplet": None}},
        "other": {"model": {}},
    }
    assert document.overridden(["base.recipe=null"]).data["base"] == {"model": {"weights": "a.pth"}}
