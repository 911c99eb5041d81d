"""The JSON schema of study files: valid, complete, and neither stricter nor laxer than the files."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from ruamel.yaml import YAML

from reid_search.study import ARCHITECTURES, DATASETS, LOSSES, PRUNERS, SAMPLERS, SCORERS
from reid_search.study.editor_schema import component_schema, study_schema

STUDIES = Path(__file__).parents[2] / "search_spaces"
SHIPPED = sorted(STUDIES.rglob("*.yaml"))
SCHEMA = study_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
FAMILIES = (ARCHITECTURES, DATASETS, LOSSES, SCORERS, SAMPLERS, PRUNERS)
NAMES = {family: family.names() for family in FAMILIES}  # as they were when the schema was made: tests add components


def read(text: str) -> Any:
    yaml = YAML(typ="safe")
    yaml.version = (1, 2)  # `on` is a word
    return yaml.load(text)


def maps(content: object) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
        for value in content.values():
            yield from maps(value)
    elif isinstance(content, list):
        for value in content:
            yield from maps(value)


def places(errors: Iterable[ValidationError]) -> Iterator[list[str | int]]:
    """Yield where an error is, and where the alternatives are wrong that it has."""
    for error in errors:
        yield list(error.absolute_path)
        yield from places(error.context or ())


def found_at(schema: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        schema = schema[step]
    return schema


PARTS = [
    component_schema(family.config_class(name)) for family, name in ((DATASETS, "several"), (LOSSES, "attributes"))
]


@pytest.mark.parametrize("schema", [SCHEMA, *PARTS], ids=["study", "several", "attributes"])
def test_it_is_a_valid_schema_whose_references_lead_somewhere(schema: Any) -> None:
    Draft202012Validator.check_schema(schema)
    references = [item["$ref"] for item in maps(schema) if "$ref" in item]
    assert schema["properties"]
    assert all(isinstance(found_at(schema, reference), dict) for reference in references)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(STUDIES).as_posix())
def test_every_shipped_study_is_accepted_and_names_it_for_editors(path: Path) -> None:
    text = path.read_text()
    assert [error.message for error in VALIDATOR.iter_errors(read(text))] == []
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == STUDIES / "study.schema.json"


def test_the_shipped_schema_is_what_the_command_prints() -> None:
    shipped = json.loads((STUDIES / "study.schema.json").read_text())
    assert shipped == json.loads(json.dumps(SCHEMA)), "uv run reid-search schema > search_spaces/study.schema.json"


def test_every_entry_is_described() -> None:
    entries = [
        (name, entry)
        for item in maps({key: value for key, value in SCHEMA.items() if key != "$schema"})
        if isinstance(item.get("properties"), dict)
        for name, entry in item["properties"].items()
    ]
    assert len(entries) > 300
    assert sorted({name for name, entry in entries if "const" not in entry and not entry.get("description")}) == []


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_every_component_is_offered(family: Any) -> None:
    offered = SCHEMA["$defs"][family.title]["properties"][family.discriminator]["enum"]
    assert offered == [*NAMES[family], None]


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ("base: {modl: {}}", ["base"]),
        ("base: {model: {architecture: mgm}}", ["base", "model", "architecture"]),
        ("base: {model: {architecture: pcb, part_count: 6}}", ["base", "model"]),
        ("base: {model: {architecture: pcb, branches: one}}", ["base", "model", "branches"]),  # MGN's
        ("base: {model: {part_count: 6}}", ["base", "model"]),
        ("base: {losses: {triplet: {kind: triplet, margin: wide}}}", ["base", "losses", "triplet", "margin"]),
        ("base: {losses: {any: {margn: 0.3}}}", ["base", "losses", "any"]),
        ("base: {training: {images: many}}", ["base", "training", "images"]),
        ("base: {training: {stages: [{nmae: a}]}}", ["base", "training", "stages", 0]),
        ("base: {recipe: mng}", ["base", "recipe"]),
        ("base: {data: {name: synthetic, preset: smal}}", ["base", "data", "preset"]),
        ("base: {readouts: {default: {tap: []}}}", ["base", "readouts", "default"]),
        ("axes: {a: {variants: {one: {modle: {}}}}}", ["axes", "a", "variants", "one"]),
        ("axes: {a: {choices: [1]}}", ["axes", "a"]),
        ("phases: [{kind: serach}]", ["phases", 0]),
        ("phases: [{kind: ablate, seeds: {from: 9}}]", ["phases", 0]),
        ("phases: [{kind: search, sampler: {kind: tpe, start: 5}}]", ["phases", 0]),
        ("claims: {one: {bettr: {}}}", ["claims", "one"]),
        ("resource: {}", []),
    ],
)
def test_a_mistake_is_shown_where_it_is(entry: str, place: list[str | int]) -> None:
    whole = read("{name: s, base: {}, phases: [{kind: ablate}]}") | read(entry)
    assert place in list(places(VALIDATOR.iter_errors(whole)))


@pytest.mark.parametrize(
    "entry",
    [
        "extends: other.yaml",
        "base: {model: null, losses: {triplet: null}}",
        "base: {model: {architecture: pcb, branches: null}}",  # what MGN had is taken away
        "base: {data: {train: market1501, test: {duke: dukemtmc}}}",
        "base: {data: {train: [market1501, {name: msmt17}]}}",
        "base: {training: {stages: [{name: a, images: 10, data: {root: elsewhere}}]}}",
        "base: {model: {weights: resnet50.pth}}",
        "axes: {losses.triplet.margin: {choice: {hard: 0.3, soft: soft}}}",
        "phases: [{kind: search, sampler: tpe, pruner: {min_epochs: 2}}]",
        "phases: [{kind: ablate, seeds: {from: 9, to: 20, until: decided}, set: {training.images: 100}}]",
    ],
)
def test_what_files_may_say_is_accepted(entry: str) -> None:
    whole = read("{name: s, base: {}, phases: [{kind: ablate}]}") | read(entry)
    assert [error.message for error in VALIDATOR.iter_errors(whole)] == []
