"""The code that a measurement's numbers depend on: a version by hand, releases of libraries, and hashes of sources.

Sources are compared as Python reads them: comments, docstrings and formatting change no hash. Rooms that only choose,
place or show measurements are left out, and so are components that a trial does not use. So a new architecture, or a
change in another one, leaves what was measured comparable.
"""

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

import reid_search
from reid_search.study import ARCHITECTURES, BACKBONES, DATASETS, LOSSES, SCORERS, Config, TrialConfig

NUMERICS = 1
"""Raise it when a release changes numbers on purpose in a way that no hash sees, such as the order of random draws in a
library. What was measured under another version is not compared with what is measured now."""

ROOMS = ("backbones", "common", "data", "evaluation", "losses", "models", "scorers", "study", "training")
"""The packages that a trial runs through."""

APART = (
    "backbones/weights/examining.py",
    "backbones/weights/fetching.py",
    "common/contents.py",
    "common/elsewhere.py",
    "common/places.py",
    "data/caching.py",
    "data/checks.py",
    "data/compared.py",
    "data/manifest/importing.py",
    "data/side_cars/misplaced.py",
    "data/synthetic/contact_sheet.py",
    "data/trained_on.py",
    "study/__init__.py",
    "study/component.py",
    "study/language/document.py",
    "study/language/places.py",
    "study/language/validation_errors.py",
    "study/loading.py",
    "study/plugins.py",
    "study/question",
    "study/trial/key.py",
    "study/trial/recipe_overrides.py",
    "study/trial/recipes.py",
    "study/trial/set_names.py",
    "training/checkpoint.py",
    "training/patterns.py",
    "training/request.py",
    "training/revisit.py",
    "training/surroundings.py",
)
"""What of these packages determines no number: it finds, checks, names, places or keeps things."""

_TORCH = "torch"
_LIBRARIES = ("numpy", "pillow", "pytorch-metric-learning", "scipy", "timm", "torchvision")
_HOME = Path(reid_search.__file__).parent
_PACKAGE = reid_search.__name__
_FAMILIES = (ARCHITECTURES, BACKBONES, LOSSES, SCORERS, DATASETS)
_DIGITS = 8
_ABSENT = "absent"


class CodeVersion(BaseModel):
    """The code that determined the numbers of a trial.

    Attributes:
        numerics: `NUMERICS` of its release.
        torch: Release of torch, with a local suffix such as `+cpu`.
        libraries: Major and minor release of the other libraries that decode, draw, augment and compute.
        source: 8 hex digits of the modules that every trial runs through.
        components: 8 hex digits of each component that the trial uses, such as `models.mgn`, or of the whole package of
            another distribution.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    numerics: int
    torch: str
    libraries: dict[str, str] = Field(default_factory=dict)
    source: str
    components: dict[str, str] = Field(default_factory=dict)

    @property
    def parts(self) -> Mapping[str, str]:
        """Every part by name; two measurements are of like code if they agree in every part that both have."""
        return {
            "numerics": str(self.numerics),
            _TORCH: self.torch,
            **self.libraries,
            "source": self.source,
            **self.components,
        }

    def installed(self) -> "CodeVersion":
        """Return the code of this process that a trial with the same components would run through."""
        return _installed(self.components)


def code_of(config: TrialConfig) -> CodeVersion:
    """Return the code of this process that a trial runs through."""
    return _installed(sorted({*_components(config)}))


def _installed(components: Iterable[str]) -> CodeVersion:
    return CodeVersion(
        numerics=NUMERICS,
        torch=_release(_TORCH),
        libraries={name: ".".join(_release(name).split(".")[:2]) for name in _LIBRARIES},
        source=_source(),
        components={name: _component(name) for name in components},
    )


@cache
def _release(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return _ABSENT


def _components(config: TrialConfig) -> Iterator[str]:
    """Yield the names of the components that a trial uses."""
    losses = [loss for name, loss in config.losses.items() if config.loss_taps(name)]
    data = [config.data, *(config.stage_data(stage) for stage in config.training.stages)]
    for item in _configs([config.model, *losses, *data, *config.readouts.values()]):
        yield from _named(type(item))
    for text in _texts(config.model):
        if text in BACKBONES.names():
            yield from _named(BACKBONES.config_class(text))


def _named(config: type[Config]) -> Iterator[str]:
    """Yield the name of the component whose config this is; nothing if it is a part of one, or of the study file."""
    top, _, rest = config.__module__.partition(".")
    if top != _PACKAGE:
        yield top
    elif rest.count(".") > 1 and (_HOME / rest.split(".")[0] / rest.split(".")[1]) in _component_folders():
        yield ".".join(rest.split(".")[:2])


def _configs(value: object) -> Iterator[Config]:
    if isinstance(value, Config):
        yield value
        for _, inner in value:
            yield from _configs(inner)
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _configs(inner)


def _texts(config: Config) -> Iterator[str]:
    for item in _configs(config):
        yield from (value for _, value in item if isinstance(value, str))


@cache
def _component_folders() -> frozenset[Path]:
    rooms = (_HOME / family.package.rpartition(".")[2] for family in _FAMILIES)
    return frozenset(config.parent for room in rooms for config in room.glob("*/config.py"))


@cache
def _source() -> str:
    """Return the hash of the modules that every trial runs through."""
    files = (path for room in ROOMS for path in _modules(_HOME / room))
    return _hash(path for path in files if not {*path.parents} & _component_folders())


@cache
def _component(name: str) -> str:
    """Return the hash of a component, `models.mgn`, or of a package of another distribution."""
    if "." in name:
        return _hash(_modules(_HOME / name.replace(".", "/")))
    return _hash(path for folder in _folders_of(name) for path in _modules(folder))


def _folders_of(package: str) -> Sequence[Path]:
    loaded = sys.modules.get(package)
    spec = loaded.__spec__ if loaded else find_spec(package)
    if spec is None:
        return []
    return [Path(place) for place in spec.submodule_search_locations or [spec.origin or ""]]


def _modules(place: Path) -> Iterator[Path]:
    apart = {_HOME / name for name in APART}
    files = [place] if place.is_file() else place.rglob("*.py")
    yield from (path for path in files if not {path, *path.parents} & apart)


def _hash(files: Iterable[Path]) -> str:
    """Return the hash of modules, and of what they import from the folders of other components."""
    found: dict[Path, str] = {}
    waiting = [*files]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path], imported = _read(path.read_bytes())
            waiting += _in_components(imported)
    if not found:
        return _ABSENT
    digest = hashlib.sha256()
    for path in sorted(found):
        digest.update(f"{path.stem} {found[path]}\n".encode())
    return digest.hexdigest()[:_DIGITS]


@cache
def _read(source: bytes) -> tuple[str, frozenset[str]]:
    """Return a module as Python reads it, and the names of the modules that it may import."""
    module = ast.parse(source)
    imported: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
    return _as_read(module), frozenset(imported)


def _in_components(modules: Iterable[str]) -> Iterator[Path]:
    """Yield the files of those modules that lie in folders of components."""
    for path in (_HOME.parent / f"{name.replace('.', '/')}.py" for name in modules):
        if {*path.parents} & _component_folders() and path.is_file():
            yield path


def _as_read(node: object) -> str:
    """Return a module as Python reads it, without docstrings, and alike in every release of Python."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []) and name != "kind")
        return f"{type(node).__name__}({','.join(f'{name}={_as_read(value)}' for name, value in fields)})"
    if isinstance(node, list):
        return f"[{','.join(_as_read(item) for item in node if not _is_text(item))}]"
    return repr(node)


def _is_text(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
