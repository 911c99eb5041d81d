"""What may stand at a place of a study file, as the types of the configs say it.

A field that holds a component has the family in its annotation (`Annotated[..., LOSSES]`). So the field decides which
component a `kind` or a `name` inside it names: that of a loss is no scorer's, and that of an optimiser no component's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from reid_search.study.component import ComponentFamily


@dataclass(frozen=True)
class Entries:
    """Says of a field of plain data that it holds entries of something else: `Annotated[dict, Entries(TrialConfig)]`.

    Attributes:
        of: A config class or a family.
    """

    of: object


class Place:
    """A place of a study file.

    Args:
        *kinds: What may stand there: config classes, families, and annotations such as `dict[str, TrialConfig]`.
    """

    def __init__(self, *kinds: object) -> None:
        self._kinds = tuple(found for kind in kinds for found in _flat(kind))

    @property
    def family(self) -> ComponentFamily | None:
        """The family whose components stand here; None where none does."""
        return next((kind for kind in self._kinds if isinstance(kind, ComponentFamily)), None)

    def below(self, holder: object, key: object) -> "Place":
        """Return the place of an entry of what stands here.

        Args:
            holder: What stands here; it says which component's entries these are.
            key: Key or index of the entry.
        """
        for kind in self._kinds:
            inside = _inside(kind, holder, key)
            if inside is not None:
                return Place(inside)
        return Place()

    def as_map(self, content: object) -> dict[Any, Any]:
        """Return what stands here as a map; a component may be written as its name alone."""
        if isinstance(content, str) and self.family is not None:
            return {self.family.discriminator: content}
        return dict(content) if isinstance(content, Mapping) else {}

    def is_map(self, content: object) -> bool:
        """Say whether what stands here has entries."""
        return isinstance(content, Mapping) or (isinstance(content, str) and self.family is not None)

    def kept(self, holder: Mapping[Any, Any], changes: Mapping[Any, Any]) -> dict[Any, Any]:
        """Return the entries of a map that stay under changes: of a component that gives way, those both have.

        Args:
            holder: What stands here.
            changes: New values of some entries; another component where the discriminator is among them.
        """
        name = changes.get(self.family.discriminator) if self.family else None
        if self.family is None or name is None or holder.get(self.family.discriminator) == name:
            return dict(holder)
        known = _fields(self.family, str(name))
        return dict(holder) if known is None else {key: value for key, value in holder.items() if key in known}


ANYWHERE = Place()


def _flat(annotation: object) -> Iterator[object]:
    """Yield what an annotation allows, families first."""
    if isinstance(annotation, FieldInfo):
        yield from _of_metadata(annotation.metadata)
        yield from _flat(annotation.annotation)
    elif get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        yield from _of_metadata(metadata)
        yield from _flat(inner)
    elif _is_collection(annotation) or not get_args(annotation):
        yield annotation
    else:  # a union
        for item in get_args(annotation):
            yield from _flat(item)


def _of_metadata(metadata: Sequence[object]) -> Iterator[object]:
    for item in metadata:
        if isinstance(item, ComponentFamily):
            yield item
        elif isinstance(item, Entries):
            yield from _flat(item.of)


def _inside(kind: object, holder: object, key: object) -> object | None:
    """Return the annotation of an entry; None where this kind has no such entry."""
    if isinstance(kind, ComponentFamily):
        name = holder.get(kind.discriminator) if isinstance(holder, Mapping) else None
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
