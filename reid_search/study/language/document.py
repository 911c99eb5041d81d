"""Reading YAML 1.2 with the place of every entry, through `extends` and overrides.

As in YAML 1.2, `on` is a word and `1e-4` a number; a duplicate key is an error.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver

from reid_search.errors import StudyError, nearest
from reid_search.study.component import at_home, in_yaml
from reid_search.study.language.merge import merged
from reid_search.study.language.places import ANYWHERE, Place

_RECIPE = "recipe"
_LONGEST = 500
EntryPath = tuple[str | int, ...]
Enter = Callable[[dict[str, object], Path], dict[str, object]]

_CORE_SCALARS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float"))


@dataclass(frozen=True)
class Document:
    """A YAML map as plain data, with the place where each entry was written.

    Attributes:
        data: The content.
        places: `file:line`, or the `--set` that gave it, by entry path.
        source: The file that was read.
        left_behind: Sentences on entries that were dropped because a layer or override names another component.
    """

    data: dict[str, object]
    places: Mapping[EntryPath, str] = field(default_factory=dict)
    source: str = "<config>"
    left_behind: tuple[str, ...] = ()

    def place(self, path: Sequence[str | int]) -> str:
        """Return where an entry, or else the closest one around it, was written."""
        for length in range(len(path), 0, -1):
            if tuple(path[:length]) in self.places:
                return self.places[tuple(path[:length])]
        return self.source

    def written(self, path: Sequence[str | int]) -> str:
        """Return a dotted path; an item of a list has its name or kind beside it: `phases.0 (search).trials`."""
        path = tuple(path)
        return ".".join(f"{step}{self._called(path, index)}" for index, step in enumerate(path))

    def _called(self, path: EntryPath, index: int) -> str:
        item = entry_at(self.data, path[: index + 1]) if isinstance(path[index], int) else None
        if not isinstance(item, Mapping) or path[index + 1 :] in (("name",), ("kind",)):
            return ""
        name = item.get("name", item.get("kind"))
        return f" ({name})" if isinstance(name, str) else ""

    def overridden(self, settings: Sequence[str], place: Place = ANYWHERE) -> "Document":
        """Return the document with `path=value` overrides laid over it; values are YAML.

        A step of a path may be a list index or, in a list of maps, the `name` or `kind` of an item; a key that contains
        dots may be quoted. `null` deletes. Where an override names another component, entries that the new one does not
        have are dropped.

        Args:
            settings: The overrides.
            place: What the document is, by which components are recognised.

        Raises:
            StudyError: An override has no `=`, or its path leads through something that has no entries.
        """
        return reduce(lambda document, setting: _with_override(document, setting, place), settings, self)


def parse_value(text: str) -> object:
    """Parse one YAML value of a command line: `1e-4`, `[1, 2]`, `soft`."""
    try:
        content = _yaml().load(text) if text.strip() else text
    except YAMLError as error:
        raise StudyError(f"'{text}' is not a YAML value: {_reason(error)}") from None
    _collect_places(content, (), f"'{text}'", {})
    return _plain(content)


def read_document(
    path: Path, root: Place = ANYWHERE, enter: Enter | None = None, chain: tuple[Path, ...] = ()
) -> Document:
    """Read a YAML file and everything that it extends.

    Args:
        path: The file.
        root: What it holds, by which components are recognised.
        enter: Given what a file holds and the file's folder, returns what is taken from it.
        chain: The files that extend this one.

    Raises:
        StudyError: The file is missing, not YAML, not a map, repeats a key, or extends itself.
    """
    resolved = path.resolve()
    if resolved in chain:
        raise StudyError(f"{path}: extends itself through {' → '.join(item.name for item in (*chain, resolved))}")
    content = _load(path)
    places: dict[EntryPath, str] = {}
    _collect_places(content, (), str(path), places)
    data = _plain_map(content)
    if "extends" not in data:
        return Document(enter(data, path.parent) if enter else data, places, str(path))
    parent = data.pop("extends")
    data = enter(data, path.parent) if enter else data
    place = places[("extends",)]
    if not (isinstance(parent, str) and parent):
        raise StudyError(f"{place}: extends: {in_yaml(parent)}: expected the name of a study file")
    lower = path.parent / at_home(parent)
    if not lower.exists():
        raise StudyError(f"{place}: extends: '{parent}': {_no_such_file(lower, besides=path)}")
    below = read_document(lower, root, enter, (*chain, resolved))
    both = merged(below.data, data, root)
    left = (*below.left_behind, *_left_behind(merged(below.data, data), both, str(path)))
    return Document(both, {**_still_true(below.places, data, places), **places}, str(path), left)


def _left_behind(before: object, after: object, by: str, replaced: EntryPath | None = None) -> Iterator[str]:
    """Yield a sentence for each entry that another component did not take over; none for what was itself replaced."""
    for entry in entries(before):
        gone = (
            entry_at(after, entry) is None
            and entry_at(before, entry) is not None
            and isinstance(entry_at(after, entry[:-1]), dict)
        )
        if gone and (replaced is None or entry[: len(replaced)] != replaced):
            yield f"{by}: {'.'.join(map(str, entry))} is left behind, since the new component does not have it"


def entries(content: object, path: EntryPath = ()) -> Iterator[EntryPath]:
    """Yield the path of every entry of nested maps and lists."""
    pairs = content.items() if isinstance(content, Mapping) else enumerate(content) if isinstance(content, list) else ()
    for key, value in pairs:
        yield (*path, key)
        yield from entries(value, (*path, key))


def _still_true(
    below: Mapping[EntryPath, str], data: object, places: Mapping[EntryPath, str]
) -> Mapping[EntryPath, str]:
    """Return the places of the lower layer without those of entries that the upper one replaces or deletes."""
    gone = {entry for entry in places if not isinstance(entry_at(data, entry), dict)}
    starts = {entry: {entry[:length] for length in range(1, len(entry) + 1)} for entry in below}
    return {entry: place for entry, place in below.items() if not starts[entry] & gone}


def entry_at(data: Any, path: EntryPath) -> object:
    """Return the entry at a path of nested maps and lists; None where there is none."""
    for step in path:
        is_item = isinstance(data, list) and isinstance(step, int) and step < len(data)
        data = data[step] if is_item else data.get(step) if isinstance(data, dict) else None
    return data


def _load(path: Path) -> CommentedMap:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(f"{path}: {_no_such_file(path)}") from None
    except IsADirectoryError:
        names = ", ".join(sorted(item.name for item in path.glob("*.y*ml"))) or "no such file"
        raise StudyError(f"{path}: this is a folder; expected one study file, and it holds {names}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: cannot be read as a UTF-8 text file ({error})") from None
    try:
        content = _yaml().load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise StudyError(f"{path}:{line}: {_reason(error)}") from None
    except YAMLError as error:
        raise StudyError(f"{path}: not YAML: {_reason(error)}") from None
    if not isinstance(content, CommentedMap):
        found = "nothing" if content is None else "a list" if isinstance(content, list) else repr(content)
        raise StudyError(f"{path}: expected a map of keys and values, found {found}")
    return content


def _no_such_file(path: Path, besides: Path | None = None) -> str:
    """Say what is near: a study of this name here or one folder deeper, or the files beside it."""
    missing = "no such file" if path.suffix else "no such file; expected a study file"
    names = sorted(item.name for item in path.parent.glob("*.y*ml") if item != besides)
    deeper = sorted(item for item in path.parent.glob("*/*.y*ml") if item.stem == path.stem)
    if deeper and path.stem not in (Path(name).stem for name in names):
        return f"{missing}; did you mean '{deeper[0].relative_to(path.parent)}'?"
    return f"{missing}; {nearest(path.name, names, ending=path.suffix)}" if names else missing


class _CoreResolver(VersionedResolver):
    """The scalars of YAML 1.2's core schema; ruamel adds dates, merge keys, `0b11` and `1_000`, which are text here."""

    def resolve(self, kind: type, value: str, implicit: tuple[bool, bool]) -> object:
        tag = super().resolve(kind, value, implicit)
        if kind is not ScalarNode or not implicit[0]:
            return tag
        is_core = str(tag) in _CORE_SCALARS and "_" not in value and not value.lower().startswith("0b")
        return tag if is_core else self.DEFAULT_SCALAR_TAG


def _yaml() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.Resolver = _CoreResolver
    return yaml


def _reason(error: YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error)
    first = str(problem).strip().splitlines()[0][:_LONGEST]
    first = first.replace("but found another document", "a study file holds one document; this `---` begins another")
    return first.replace("found duplicate key", "duplicate key; each key may stand once:")


def _plain_map(value: Mapping[str, object]) -> dict[str, object]:
    return {_plain(key): _plain(item) for key, item in value.items()}  # type: ignore[misc]


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return _plain_map(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return getattr(value, "value", value)  # a scalar with a tag, which means nothing here


def _collect_places(value: Any, path: EntryPath, file: str, places: dict[EntryPath, str]) -> None:
    is_map = isinstance(value, CommentedMap)
    if not is_map and not isinstance(value, CommentedSeq):
        return
    for key, item in value.items() if is_map else enumerate(value):
        entry = (*path, key)
        places[entry] = f"{file}:{(value.lc.key if is_map else value.lc.item)(key)[0] + 1}"
        if isinstance(key, list | tuple | Mapping):
            raise StudyError(f"{places[entry]}: {_plain(key)} is not a key; a key is a word or a number")
        _collect_places(item, entry, file, places)


def _with_override(document: Document, setting: str, root: Place) -> Document:
    name, separator, text = setting.partition("=")
    if not separator or not name.strip():
        raise StudyError(f"--set {setting}: expected PATH=VALUE, for example --set base.training.images=5000")
    steps = split_path(name.strip())
    if not all(steps) or name.strip().endswith("."):
        raise StudyError(f"--set {setting}: a part of the path '{name.strip()}' is empty")
    try:
        value = parse_value(text)
    except StudyError as error:
        raise StudyError(f"--set {setting}: {error}") from None
    data, path = _replaced(document.data, steps, value, setting, root)
    left = document.left_behind
    if value is not None:
        left = (*left, *_left_behind(document.data, data, f"--set {setting}", replaced=path))
    places = {entry: place for entry, place in document.places.items() if entry[: len(path)] != path}
    if value is None and isinstance(entry_at(data, path[:-1]), list):
        return Document(data, _closed_up(places, path), document.source, left)
    given = {path[:length]: f"--set {setting}" for length in range(1, len(path) + 1)}
    return Document(data, {**given, **places, path: f"--set {setting}"}, document.source, left)


def _closed_up(places: Mapping[EntryPath, str], path: EntryPath) -> dict[EntryPath, str]:
    """Return the places after the item at `path` was deleted from its list: later items move up."""
    *holder, index = path
    moved: dict[EntryPath, str] = {}
    for entry, place in places.items():
        later = entry[: len(holder)] == tuple(holder) and len(entry) >= len(path) and entry[len(holder)] > index  # type: ignore[operator]
        moved[(*holder, int(entry[len(holder)]) - 1, *entry[len(path) :]) if later else entry] = place
    return moved


def split_path(text: str) -> list[str]:
    """Split a dotted path; a quoted axis is one step: `axes."model.parts".choice`."""
    steps: list[str] = []
    rest = text
    while rest:
        if rest.startswith('"') and '"' in rest[1:]:
            step, _, rest = rest[1:].partition('"')
            rest = rest.removeprefix(".")
        else:
            step, _, rest = rest.partition(".")
        steps.append(step)
    return steps


def _replaced(
    container: Any, steps: list[str], value: object, setting: str, place: Place, over_recipe: bool = False
) -> tuple[Any, EntryPath]:
    """Return a copy with a value in place; a null deletes, unless what it deletes may be that of a recipe below."""
    over_recipe = over_recipe or (isinstance(container, dict) and _RECIPE in container)
    steps = _with_known_key(container, steps)
    key = _key_in(container, steps[0], setting)
    copy = list(container) if isinstance(container, list) else dict(container)
    if len(steps) == 1:
        if value is None and isinstance(copy, dict) and (key == _RECIPE or not over_recipe):
            copy.pop(key, None)
        elif value is None and isinstance(copy, dict):
            copy[key] = None
        elif value is None:
            del copy[key]
        else:
            copy = copy if isinstance(copy, list) else place.kept(copy, {key: value})
            copy[key] = value
        return copy, (key,)
    below = copy[key] if isinstance(copy, list) else copy.get(key, {})
    inside = place.below(copy, key)
    below = inside.as_map(below) if below is None or inside.is_map(below) else below
    copy[key], rest = _replaced(below, steps[1:], value, setting, inside, over_recipe)
    return copy, (key, *rest)


def _with_known_key(container: object, steps: list[str]) -> list[str]:
    """Join the first steps if together they are a key of this map: an axis that exists needs no quotes."""
    for length in range(len(steps), 1, -1):
        joined = ".".join(steps[:length])
        if isinstance(container, dict) and joined in container:
            return [joined, *steps[length:]]
    return steps


def key_of(holder: Mapping[str, object], step: str) -> str:
    """Return the key of a map that a step of a path means: `"2"` is the number 2 if the map has that."""
    return int(step) if step not in holder and step.isdigit() and int(step) in holder else step  # type: ignore[comparison-overlap, return-value]


def _key_in(container: object, step: str, setting: str) -> Any:
    if isinstance(container, dict):
        return key_of(container, step)
    if not isinstance(container, list):
        raise StudyError(f"--set {setting}: '{step}' cannot be set inside the value {container!r}")
    names = {str(item.get(word)): index for index, item in enumerate(container) if isinstance(item, dict)
             for word in ("kind", "name") if word in item}  # fmt: skip
    if step in names:
        return names[step]
    if step.isdigit() and int(step) < len(container):
        return int(step)
    allowed = [*map(str, range(len(container))), *names]
    raise StudyError(f"--set {setting}: there is no item '{step}'; {nearest(step, allowed)}")
