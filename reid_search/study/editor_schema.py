"""The JSON schema of study files, for editors: what may stand where, and what each entry means.

Pydantic describes the configs. Three things of study files it cannot know: a field that holds a component takes the
settings of whichever component is named; everything under `base` is laid over something else (a recipe, an extended
file, the defaults of an architecture), so that nothing is required there; and null takes an entry away.
"""

import re
from collections.abc import Iterable, Iterator
from typing import cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from reid_search.study.component import FAMILIES, HOLDS, ComponentFamily, Config
from reid_search.study.question.study_config import StudyConfig
from reid_search.study.trial.trial import TrialConfig

_DEFINITIONS = "#/$defs/"
_NULL = {"type": "null"}
_OF_ANOTHER = {**_NULL, "errorMessage": "not a setting of this component; null takes away what another one had"}
_EXTENDS = {
    "description": "A file that this one is laid over: maps merge, lists replace, null deletes.",
    "type": "string",
}
_ENTRY = re.compile(r"^ {4}(\w[\w, ]*): ", flags=re.MULTILINE)


def study_schema() -> JsonSchemaValue:
    """Return the schema of a study file (JSON Schema, draft 2020-12), with every component that is installed."""
    definitions, names = _definitions()
    study = {**definitions[names[StudyConfig]]}
    study["properties"] = {"extends": _EXTENDS, **study["properties"]}
    del study["required"]  # a file that it extends may have them
    return _whole(study, definitions)


def component_schema(config: type[Config]) -> JsonSchemaValue:
    """Return the schema of the settings of a component, or of a part of them."""
    definitions, names = _definitions(config)
    return _whole(definitions[names[config]], definitions)


def _definitions(*further: type[Config]) -> tuple[dict[str, JsonSchemaValue], dict[type[Config], str]]:
    """Return the schema of each config and of each family, by name, and the name of each config."""
    families = {family: {name: family.config_class(name) for name in family.names()} for family in FAMILIES}
    components = (config for configs in families.values() for config in configs.values())
    all_of_them: Iterable[type[Config]] = (StudyConfig, TrialConfig, *components, *further)
    classes = list(dict.fromkeys(all_of_them))
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [(config, "validation") for config in classes]
    named, content = models_json_schema(modes, ref_template=_DEFINITIONS + "{model}", schema_generator=_Described)
    names = {config: named[config, "validation"]["$ref"].removeprefix(_DEFINITIONS) for config in classes}
    questions = set(_reached(content["$defs"], [names[StudyConfig]]))  # and not the components that they hold
    found = cast("dict[str, JsonSchemaValue]", _with_references(content["$defs"]))
    parts = {name: item if name in questions else _as_a_part(item) for name, item in found.items()}
    for family, configs in families.items():
        parts[family.title] = _family(family, {name: names[config] for name, config in configs.items()}, parts)
    return parts, names


class _Described(GenerateJsonSchema):
    """Takes the descriptions of entries from the docstrings of the configs that have them."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        content = super().model_schema(schema)
        entries: dict[str, str] = {}
        for config in reversed(schema["cls"].__mro__):
            entries |= _entries(config.__doc__ or "")
        for name, field in content.get("properties", {}).items():
            field.pop("title", None)
            if name in entries:
                field.setdefault("description", entries[name])
        content["description"] = (schema["cls"].__doc__ or "").partition("\n\n")[0]
        return content


def _entries(docstring: str) -> dict[str, str]:
    """Return what the section `Attributes` of a docstring says of each, on one line."""
    section = docstring.partition("Attributes:\n")[2].partition("\n\n")[0]
    text = "\n".join(line.removeprefix("    ") for line in section.splitlines())
    pieces = _ENTRY.split(text)[1:]
    said = zip(pieces[::2], pieces[1::2], strict=True)
    return {name.strip(): " ".join(text.split()) for names, text in said for name in names.split(",")}


def _with_references(content: object) -> object:
    """Put a reference wherever a config says whose settings stand there."""
    if isinstance(content, dict):
        inner = {key: _with_references(value) for key, value in content.items() if key != HOLDS}
        return {"$ref": _DEFINITIONS + content[HOLDS], **inner} if HOLDS in content else inner
    return [_with_references(item) for item in content] if isinstance(content, list) else content


def _reached(definitions: dict[str, JsonSchemaValue], names: Iterable[str]) -> Iterator[str]:
    """Yield the names of definitions and of those that they refer to, each once."""
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting += [item.removeprefix(_DEFINITIONS).split("/")[0] for item in _references(definitions[name])]


def _references(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        if isinstance(content.get("$ref"), str):
            yield content["$ref"]
        for item in content.values():
            yield from _references(item)
    elif isinstance(content, list):
        for item in content:
            yield from _references(item)


def _as_a_part(content: JsonSchemaValue) -> JsonSchemaValue:
    """Return the schema of what is laid over something else: nothing is required, and null takes an entry away."""
    if "anyOf" in content:
        return {**content, "anyOf": [_as_a_part(item) for item in content["anyOf"]]}
    part = {key: value for key, value in content.items() if key not in ("required", "title")}
    if "properties" in part:
        part["properties"] = {name: _or_null(_as_a_part(item)) for name, item in part["properties"].items()}
    elif isinstance(part.get("additionalProperties"), dict):
        part["additionalProperties"] = _or_null(part["additionalProperties"])
    return part


def _or_null(content: JsonSchemaValue) -> JsonSchemaValue:
    outer: JsonSchemaValue = {key: content[key] for key in ("description", "default") if key in content}
    inner = {key: value for key, value in content.items() if key not in outer}
    kinds = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
    return {**outer, "anyOf": kinds if _NULL in kinds else [*kinds, _NULL]}


def _family(family: ComponentFamily, names: dict[str, str], definitions: dict[str, JsonSchemaValue]) -> JsonSchemaValue:
    """Return the schema of a component: with its name, its own settings; without, those of any.

    Args:
        family: The components.
        names: The name of each one's definition.
        definitions: Where these are.
    """
    owners: dict[str, list[str]] = {}
    for component in names.values():
        definitions[component]["additionalProperties"] = _OF_ANOTHER
        for entry in definitions[component]["properties"]:
            owners.setdefault(entry, []).append(component)
    found = {entry: _any_of(entry, whose, definitions) for entry, whose in sorted(owners.items())}
    named = {"description": f"The {family.noun}.", "enum": [*names, None]}
    return {
        "description": f"The settings of one {family.noun}.",
        "type": "object",
        "properties": {**found, family.discriminator: named},
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"properties": {family.discriminator: {"const": name}}, "required": [family.discriminator]},
                "then": {"$ref": _DEFINITIONS + component},
            }
            for name, component in names.items()
        ],
    }


def _any_of(entry: str, owners: Iterable[str], definitions: dict[str, JsonSchemaValue]) -> JsonSchemaValue:
    """Return the schema of a setting as any of these components has it, by reference."""
    meanings: dict[str, str] = {}
    described: dict[str, None] = {}
    for component in owners:
        found = definitions[component]["properties"][entry]
        meanings.setdefault(str({key: value for key, value in found.items() if key != "description"}), component)
        described[found.get("description", "")] = None
    references = [{"$ref": f"{_DEFINITIONS}{component}/properties/{entry}"} for component in meanings.values()]
    return {"description": " Or: ".join(filter(None, described)), "anyOf": references}


def _whole(content: JsonSchemaValue, definitions: dict[str, JsonSchemaValue]) -> JsonSchemaValue:
    """Return a schema with the definitions that it needs."""
    asked = [item.removeprefix(_DEFINITIONS).split("/")[0] for item in _references(content)]
    needed = {name: definitions[name] for name in sorted(_reached(definitions, asked))}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **content, "$defs": needed}
