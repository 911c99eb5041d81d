"""Reading YAML 1.2 with the place of every entry: `extends`, overrides and duplicate keys included.

`on` is a word and `1e-4` a number, as YAML 1.2 has it; a duplicate key is an error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from reid_search.errors import StudyError, nearest
from reid_search.study.merge import merged

EntryPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """A YAML map as plain data, with where each entry was written.

    Attributes:
        data: The content.
        places: `file:line`, or the `--set` that gave it, by entry path.
        source: The file that was asked for.
    """

    data: dict[str, Any]
    places: Mapping[EntryPath, str] = field(default_factory=dict)
    source: str = "<config>"

    def place(self, path: Sequence[str | int]) -> str:
        """Return where an entry, or the closest entry that holds it, was written."""
        for length in range(len(path), 0, -1):
            if tuple(path[:length]) in self.places:
                return self.places[tuple(path[:length])]
        return self.source

    def overridden(self, settings: Sequence[str]) -> "Document":
        """Return the document with `path=value` overrides laid over it; values are YAML.

        A segment may be a list index or, in a list of maps, the `name` or `kind` of its item. `null` deletes.

        Raises:
            StudyError: An override has no `=`, or its path leads through something that has no entries.
        """
        document = self
        for setting in settings:
            document = _with_override(document, setting)
        return document


def read_document(path: Path) -> Document:
    """Read a YAML file and everything that it extends.

    Raises:
        StudyError: The file is missing, not YAML, not a map, repeats a key, or extends itself.
    """
    return _read(path, ())


def parse_value(text: str) -> Any:
    """Parse one YAML value of a command line: `1e-4`, `[1, 2]`, `soft`."""
    try:
        return _plain(_yaml().load(text)) if text.strip() else text
    except YAMLError as error:
        raise StudyError(f"'{text}' is not a YAML value: {_reason(error)}") from None


def _read(path: Path, chain: tuple[Path, ...]) -> Document:
    resolved = path.resolve()
    if resolved in chain:
        raise StudyError(f"{path}: extends itself through {' → '.join(item.name for item in (*chain, resolved))}")
    content = _load(path)
    places: dict[EntryPath, str] = {}
    _collect_places(content, (), str(path), places)
    data: dict[str, Any] = _plain(content)
    if "extends" not in data:
        return Document(data, places, str(path))
    parent = data.pop("extends")
    if not isinstance(parent, str):
        raise StudyError(f"{places[('extends',)]}: extends = {parent!r}: expected the name of a study file")
    below = _read(path.parent / parent, (*chain, resolved))
    return Document(merged(below.data, data), {**below.places, **places}, str(path))


def _load(path: Path) -> CommentedMap:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        siblings = [item.name for item in sorted(path.parent.glob("*.y*ml"))] if path.parent.is_dir() else []
        raise StudyError(f"{path}: no such file; {nearest(path.name, siblings)}") from None
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
        found = "nothing" if content is None else type(content).__name__
        raise StudyError(f"{path}: expected a map of keys and values, found {found}")
    return content


def _yaml() -> YAML:
    return YAML(typ="rt", pure=True)


def _reason(error: YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error)
    first = str(problem).strip().splitlines()[0]
    return first.replace("found duplicate key", "duplicate key; each key may stand once:")


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _collect_places(value: object, path: EntryPath, file: str, places: dict[EntryPath, str]) -> None:
    if isinstance(value, CommentedMap):
        for key, item in value.items():
            entry = (*path, key)
            places[entry] = f"{file}:{value.lc.key(key)[0] + 1}"
            _collect_places(item, entry, file, places)
    elif isinstance(value, CommentedSeq):
        for index, item in enumerate(value):
            entry = (*path, index)
            places[entry] = f"{file}:{value.lc.item(index)[0] + 1}"
            _collect_places(item, entry, file, places)


def _with_override(document: Document, setting: str) -> Document:
    name, separator, text = setting.partition("=")
    if not separator or not name.strip():
        raise StudyError(f"--set {setting}: expected PATH=VALUE, for example --set base.training.images=5000")
    steps = split_path(name.strip())
    data, path = _replaced(document.data, steps, parse_value(text), setting)
    return Document(data, {**document.places, path: f"--set {setting}"}, document.source)


def split_path(text: str) -> list[str]:
    """Split a dotted path; an axis is one segment when it stands in quotes: `axes."model.parts".choice`."""
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


def _replaced(container: Any, steps: list[str], value: object, setting: str) -> tuple[Any, EntryPath]:
    key = _key_in(container, steps[0], setting)
    copy = list(container) if isinstance(container, list) else dict(container)
    if len(steps) == 1:
        if value is None and isinstance(copy, dict):
            copy.pop(key, None)
        else:
            copy[key] = value
        return copy, (key,)
    below = copy[key] if isinstance(copy, list) else copy.get(key, {})
    if below is None:
        below = {}
    copy[key], rest = _replaced(below, steps[1:], value, setting)
    return copy, (key, *rest)


def _key_in(container: Any, step: str, setting: str) -> Any:
    if isinstance(container, dict):
        return int(step) if step not in container and step.isdigit() and int(step) in container else step
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
