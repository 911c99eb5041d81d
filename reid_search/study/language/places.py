"""What may stand at a place of a study file, according to the types of the configs.

A field that holds a component has the family in its annotation (`Annotated[..., LOSSES]`). So the field decides what
its `kind` or `name` refers to: a loss in one place, a scorer in another, and no component in an optimiser.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from reid_search.study.component import HOLDS, ComponentFamily, Config


@dataclass(frozen=True)
class Entries:
    """Marks a field of plain data that holds entries of a config class or family: `Annotated[dict, Entries(Trial)]`."""

    of: ComponentFamily | type[Config]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say whose entries stand here; of a list of components, that one may stand alone."""
        found = handler(schema)
        if found.get("type") == "array":
            return {"anyOf": [found["items"], found]}
        return {HOLDS: self.of.title if isinstance(self.of, ComponentFamily) else self.of.__name__}


class Place:
    """A place of a study file.

    Args:
        *kinds: What may stand there: config classes, families, and annotations such as `dict[str, TrialConfig]`.
    """

    def __init__(self, *kinds: object) -> None:
        self._kinds = tuple(found for kind in kinds for found in _flat(kind))

    @property
    def family(self) -> ComponentFamily | None:
        """The family whose components stand here, if any."""
        return next((kind for kind in self._kinds if isinstance(kind, ComponentFamily)), None)

    def below(self, holder: object, key: object) -> "Place":
        """Return the place of the entry `key` of `holder`, which stands here and may name its component."""
        found = (_inside(kind, holder, key) for kind in self._kinds)
        return Place(*itertools.islice((inside for inside in found if inside is not None), 1))

    def below_any(self, holder: Mapping[object, object], key: object) -> "Place":
        """Return the place of an entry of a map that may not name its component, such as a part of a config.

        Then it is the place that the entry has in all components that know it.
        """
        family = self.family
        if family is None or family.name_in(holder) is not None:
            return self.below(holder, key)
        found = ((_fields(family, name) or {}).get(str(key)) for name in family.names())
        return Place(*(field for field in found if field is not None))

    @property
    def has_free_names(self) -> bool:
        """Whether entries of any name may stand below, such as losses."""
        return any(_is_collection(kind) for kind in self._kinds)

    def is_path(self, text: str) -> bool:
        """Say whether a text that stands here is a path, and no word that may stand here too."""
        kinds = [*self._kinds, *(kind for config in self._kinds for kind in _written_alone(config))]
        return Path in kinds and text not in kinds

    def as_map(self, content: object) -> dict[str, object]:
        """Return what stands here as a map; a component may be given by its name alone."""
        if isinstance(content, str) and self.family is not None:
            return {self.family.discriminator: content}
        return dict(content) if isinstance(content, Mapping) else {}

    def is_map(self, content: object) -> bool:
        """Say whether what stands here has entries."""
        return isinstance(content, Mapping) or (isinstance(content, str) and self.family is not None)

    def kept(self, holder: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
        """Return the entries of a map that stay under changes: if these name another component, those that both have.

        Args:
            holder: What stands here.
            changes: New values of some entries, among them the discriminator where the component changes.
        """
        name = self.family.name_in(changes) if self.family else None
        if self.family is None or name is None or self.family.name_in(holder) == name:
            return dict(holder)
        known = _fields(self.family, str(name))
        if known is None:
            return dict(holder)
        own = self.family.discriminator
        return {key: value for key, value in holder.items() if key in known and (key != own or own in changes)}


ANYWHERE = Place()


def _flat(annotation: object) -> Iterator[object]:
    """Yield what an annotation allows, families first."""
    parts: tuple[object, ...] = get_args(annotation) if get_origin(annotation) is Annotated else ()
    if isinstance(annotation, FieldInfo):
        parts = (annotation.annotation, *annotation.metadata)
    if parts:
        for item in parts[1:]:
            yield from (item,) if isinstance(item, ComponentFamily) else ()
            yield from _flat(item.of) if isinstance(item, Entries) else ()
        yield from _flat(parts[0])
    elif _is_collection(annotation) or not get_args(annotation):
        yield annotation
    else:  # a union
        for item in get_args(annotation):
            yield from _flat(item)


def _written_alone(kind: object) -> Iterator[object]:
    """Yield what a text may be that stands for a whole config, as a file stands for `{file: …}`."""
    if isinstance(kind, type) and issubclass(kind, Config) and kind.written_alone:
        yield from _flat(kind.model_fields[kind.written_alone])


def _inside(kind: object, holder: object, key: object) -> object | None:
    """Return the annotation of an entry, or None if this kind has no such entry."""
    if isinstance(kind, ComponentFamily):
        name = kind.name_in(holder) if isinstance(holder, Mapping) else None
        return (_fields(kind, str(name)) or {}).get(str(key))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_fields.get(str(key))
    if _is_collection(kind):
        inner = get_args(kind)
        return inner[1] if len(inner) > 1 and inner[1] is not Ellipsis else inner[0]  # type: ignore[no-any-return]
    return None


def _fields(family: ComponentFamily, name: str) -> Mapping[str, FieldInfo] | None:
    return family.config_class(name).model_fields if name in family.names() else None


def _is_collection(annotation: object) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping | Sequence)
