"""The base of every config, and how a component (architecture, loss, data set) is found by its name.

A component is a package such as `reid_search/models/mgn/` whose torch-free `config.py` names its config class in
`CONFIG`. The module that does the work is imported only when a trial runs, so a plan can be checked without torch.
"""

import importlib
import importlib.util
import json
import os
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, NoneType
from typing import Annotated, ClassVar, cast, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from reid_search.errors import StudyError, closest, nearest
from reid_search.study.plugins import load_plugin, plugins, wrong

WITH_DEFAULTS = "with defaults"
"""The context in which a config is written with settings that keys leave out where they have their defaults."""

HOLDS = "x-holds"
"""In the JSON schema of a config: the settings of which family, or the entries of which config, stand here."""

_MOST_OWNERS = 3
_LONGEST = 60


class EntryError(ValueError):
    """A value that breaks a rule, with the path of its entry relative to the config whose validator raises."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


@contextmanager
def inside(*path: str | int) -> Iterator[None]:
    """Put the path of a config before that of its entry, in an error that its check raises."""
    try:
        yield
    except EntryError as error:
        raise EntryError(str(error), *path, *error.path) from None


def at_home(path: Path | str) -> Path:
    """Return a path with the home folder for a `~` at its start; that of an unknown user stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111


def absolute(path: Path) -> Path:
    """Make a path absolute: a worker has another current folder.

    Links are not resolved, except before a `..`, which is the folder above the one that a link leads to.
    """
    parts = at_home(path).absolute().parts
    found = Path(parts[0])
    for part in parts[1:]:
        found = found.resolve().parent if part == ".." else found / part
    return found


def in_yaml(value: object) -> str:
    """Return a value as a person wrote it: `null` and `true`, not `None` and `True`; the beginning of a long one."""
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def label_of(value: object) -> str:
    """Return the label of a value without a name: text as it is, anything else as JSON."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, separators=(", ", ": "))


def _bare(annotation: object) -> object:
    """Return a type without what is noted of it, such as its bounds."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


AbsolutePath = Annotated[Path, AfterValidator(absolute)]
Factor = Annotated[float, Field(ge=1e-6, le=1e6)]
"""A factor on a learning rate or on a loss: a million either way is more than any system has, and the numbers of a
network, which have seven digits, still hold the product."""


class Config(BaseModel):
    """A frozen piece of configuration; an unknown key is an error.

    `written_alone` is the entry that a text stands for which is given in place of the whole config.
    `also_written` are keys that files may have and that are taken away when they are read, such as `extends`;
    `noted` are entries that reading adds, which nobody writes.
    `written_if_set` are entries, besides those of the classes it extends, that are left out where they have their
    defaults, so that a setting that is new changes no key of earlier trials.
    """

    written_alone: ClassVar[str] = ""
    also_written: ClassVar[tuple[str, ...]] = ()
    noted: ClassVar[tuple[str, ...]] = ()
    written_if_set: ClassVar[tuple[str, ...]] = ()
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    @classmethod
    def keys_of_files(cls) -> list[str]:
        """Return the keys that a file may have."""
        return [*(name for name in cls.model_fields if name not in cls.noted), *cls.also_written]

    @classmethod
    def left_out_as_defaults(cls) -> set[str]:
        """Return the entries that are left out where they have their defaults, those of the bases among them."""
        return {name for base in cls.__mro__ for name in vars(base).get("written_if_set", ())}

    @model_validator(mode="before")
    @classmethod
    def _know_every_key(cls, value: object) -> object:
        if isinstance(value, Mapping):
            for key in value:
                if key not in cls.model_fields:
                    family = family_of(cls)
                    near = family.nearest_key(str(key), cls) if family else nearest(str(key), cls.keys_of_files())
                    raise EntryError(f"unknown key; {near}", key)
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _scalars_are_what_they_are(cls, value: object, info: ValidationInfo) -> object:
        """Refuse `true` and `"5000"` as numbers, `1` and `yes` as booleans: pydantic would read each as the other."""
        if isinstance(value, bool | str | int | float):
            annotation = cls.model_fields[str(info.field_name)].annotation
            kinds = {_bare(kind) for kind in get_args(annotation) or (annotation,)} - {NoneType}
            if kinds <= {int, float} and isinstance(value, bool | str):
                raise ValueError(f"{in_yaml(value)} should be a {'number' if float in kinds else 'whole number'}")
            if kinds == {bool} and not isinstance(value, bool):
                text = " (text, as YAML 1.2 reads it)" if isinstance(value, str) else ""
                raise ValueError(f"{in_yaml(value)}{text} should be true or false")
        return value

    @model_serializer(mode="wrap")
    def _write_some_only_if_set(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, object]:
        content: dict[str, object] = handler(self)
        if info.context != WITH_DEFAULTS:
            for name in self.left_out_as_defaults():
                if getattr(self, name) == type(self).model_fields[name].default:
                    content.pop(name, None)
        return content


@dataclass(frozen=True)
class OneOf:
    """Marks a field whose value is one of several names: `Annotated[str, OneOf(objectives)]`.

    `names` is called whenever a value is checked, since a registry may grow. With `of_another`, the name of something
    that has it may stand before it: `duke/mAP`.
    """

    names: Callable[[], Iterable[str]]
    of_another: bool = False

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse any other value, before anything else is checked."""
        return core_schema.no_info_before_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """List the names in the JSON schema."""
        own = {"enum": list(self.names())}
        if not self.of_another:
            return {**handler(schema), **own}
        return {**handler(schema), "anyOf": [own, {"pattern": f"^[^/]+/({'|'.join(map(re.escape, self.names()))})$"}]}

    def _checked(self, value: object) -> object:
        name = value.rpartition("/")[2] if self.of_another and isinstance(value, str) else value
        if name not in list(self.names()):
            raise EntryError(f"{in_yaml(value)} is not a choice; {nearest(str(name), self.names())}")
        return value


@dataclass(frozen=True)
class Either:
    """Marks a field of several kinds of value, so that a mistake is one message and not one for each kind.

    It says what is allowed: `Annotated[bool | Literal["both"], Either("both", "false", "true")]`.
    """

    allowed: tuple[str, ...]

    def __init__(self, *allowed: str) -> None:
        object.__setattr__(self, "allowed", allowed)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Replace the mistakes of all kinds of value by one that names them."""
        return core_schema.no_info_wrap_validator_function(self._checked, handler(source))

    def _checked(self, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValidationError:
            raise EntryError(f"{in_yaml(value)} is not a choice; {nearest(str(value), self.allowed)}") from None


class ComponentFamily:
    """All components of one kind, found by scanning a package and the entry points of other distributions.

    The annotation of a field says that it holds one: `Annotated[SerializeAsAny[LossConfig], LOSSES]`.

    Args:
        package: The package whose sub-packages are the components, `reid_search.models`.
        discriminator: The key that names the component in a config: `architecture`, `kind` or `name`.
        noun: What an error message calls one: `architecture`.
        work: The module beside a component's `config.py` that does the work: `model`.
        shared: Whether components may share a folder; its config lists their names in the type of its discriminator.
        implied: Components that need not be named where one of these keys is given, by key.
    """

    def __init__(
        self,
        package: str,
        discriminator: str,
        noun: str,
        work: str,
        shared: bool = False,
        implied: Mapping[str, str] | None = None,
    ) -> None:
        self.package = package
        self.discriminator = discriminator
        self.noun = noun
        self._work = work
        self._shared = shared
        self._implied = implied or {}
        self._added: dict[str, type[Config]] = {}

    def names(self) -> list[str]:
        """Return every known name, sorted."""
        return sorted({*self._own(), *self._others(), *self._added})

    def config_class(self, name: str) -> type[Config]:
        """Return the config class of a component.

        Raises:
            StudyError: No component has this name, or the distribution that adds it is broken.
        """
        if name in self._added:
            return self._added[name]
        if name in self._others():
            return self._config_from(self._others()[name], built_in=name in self._own())
        if name in self._own():
            return self._config_in(self._own()[name])
        raise StudyError(f"unknown {self.noun} '{name}'; {nearest(name, self.names())}")

    def work_module(self, config: Config) -> ModuleType:
        """Import the module that does the work of a component, which may load torch."""
        return importlib.import_module(self._work_beside(type(config)))

    def add(self, name: str, config: type[Config]) -> None:
        """Add a component of another package in this process; other processes need an entry point."""
        self._added[name] = config

    def validate(self, value: object, default: str | None = None) -> Config:
        """Turn a mapping into the config of the component that it names."""
        if isinstance(value, Config):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a map with the key '{self.discriminator}', got {in_yaml(value)}")
        name = self.name_in(value) or default
        if name is None:
            raise EntryError(f"this key is missing; {nearest('', self.names())}", self.discriminator)
        try:
            config = self.config_class(str(name))
        except StudyError as error:
            raise EntryError(str(error), self.discriminator) from None
        return config.model_validate({**value, self.discriminator: name})

    def name_in(self, content: Mapping[str, object] | Mapping[object, object]) -> object | None:
        """Return the component that a config, or a part of one, names or implies; None if it does neither."""
        implied = (name for key, name in self._implied.items() if key in content)
        named = content.get(self.discriminator)
        return next(implied, None) if named is None else named

    def whose(self, key: str) -> str | None:
        """Say which components have a setting: `a setting of tpe and cma_es`; None if none has it."""
        owners = [name for name in self.names() if key in self.config_class(name).model_fields]
        if not owners:
            return None
        shown = f"{', '.join(owners[:_MOST_OWNERS])} and others" if len(owners) > _MOST_OWNERS else " and ".join(owners)
        return f"a setting of the {self.noun} {shown}" if len(owners) == 1 else f"a setting of {shown}"

    def nearest_key(self, key: str, config: type[Config]) -> str:
        """Return the nearest setting of a component, or of another where this one has none like it."""
        own = nearest(key, config.model_fields)
        if whose := self.whose(key):
            return f"'{key}' is {whose}; {own}" if own.startswith("allowed") else f"'{key}' is {whose}, {own}"
        fields = {field for name in self.names() for field in self.config_class(name).model_fields}
        other = closest(key, fields)
        if other is None or closest(key, config.model_fields):
            return own
        return f"did you mean '{other}', {self.whose(other)}? ({own})"

    @property
    def title(self) -> str:
        """What a component is called in one word: `data-set`."""
        return self.noun.replace(" ", "-")

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Make a field of this family hold the config of the component that its value names."""
        return core_schema.no_info_before_validator_function(self.validate, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Say that the settings of a component stand here."""
        del schema, handler
        return {HOLDS: self.title}

    @cache  # noqa: B019  (families live as long as the process)
    def _config_in(self, folder: str) -> type[Config]:
        return cast("type[Config]", importlib.import_module(f"{self.package}.{folder}.config").CONFIG)

    @cache  # noqa: B019
    def _own(self) -> Mapping[str, str]:
        package = importlib.import_module(self.package)
        packages = (module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg)
        folders = [name for name in packages if importlib.util.find_spec(f"{self.package}.{name}.config") is not None]
        return {name: folder for folder in folders for name in self._names_in(folder)}

    def _names_in(self, folder: str) -> tuple[str, ...]:
        if not self._shared:
            return (folder,)
        return get_args(self._config_in(folder).model_fields[self.discriminator].annotation)

    @cache  # noqa: B019
    def _others(self) -> dict[str, list[EntryPoint]]:
        return plugins(self.package)

    def _config_from(self, points: list[EntryPoint], built_in: bool) -> type[Config]:
        found = load_plugin(points, built_in)
        if not (isinstance(found, type) and issubclass(found, Config) and self.discriminator in found.model_fields):
            rule = f"the class of a config with a field `{self.discriminator}`"
            raise wrong(points[0], f"names {found!r}; expected {rule}")
        work = self._work_beside(found)
        if work.startswith(".") or importlib.util.find_spec(work) is None:
            folder = found.__module__.rpartition(".")[0] or "a package"
            raise wrong(points[0], f"the work module '{self._work}' is missing in {folder}, beside its config")
        return found

    def _work_beside(self, config: type[Config]) -> str:
        return f"{config.__module__.rpartition('.')[0]}.{self._work}"


@dataclass(frozen=True)
class ByName:
    """Marks a field of a family whose component may be given by its name alone, or without its name.

    It stands behind the family: `Annotated[SamplerConfig, SAMPLERS, ByName(SAMPLERS, "tpe")]`.

    Attributes:
        family: The family.
        default: The component that is meant where a map does not name it, if any.
    """

    family: ComponentFamily
    default: str | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read a name as the component with its default settings."""
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Allow the name alone."""
        return {"anyOf": [{"enum": self.family.names()}, handler(schema)]}

    def _read(self, value: object) -> object:
        key = self.family.discriminator
        if isinstance(value, str):
            return {key: value}
        if isinstance(value, Mapping):
            return {**({key: self.default} if self.default else {}), **value}
        if isinstance(value, Config):
            return value
        expected = f"expected the name of a {self.family.noun}, or a map with the key '{key}'"
        raise ValueError(f"{expected}, got {in_yaml(value)}; {nearest('', self.family.names())}")


BACKBONES = ComponentFamily("reid_search.backbones", "name", "backbone", work="model", shared=True)
ARCHITECTURES = ComponentFamily("reid_search.models", "architecture", "architecture", work="model")
LOSSES = ComponentFamily("reid_search.losses", "kind", "loss", work="loss")
DATASETS = ComponentFamily("reid_search.data", "name", "data set", work="data", implied={"train": "several"})
SCORERS = ComponentFamily("reid_search.scorers", "kind", "scorer", work="scorer")
SAMPLERS = ComponentFamily("reid_search.samplers", "kind", "sampler", work="sampler")
PRUNERS = ComponentFamily("reid_search.pruners", "kind", "pruner", work="pruner")


FAMILIES = (ARCHITECTURES, LOSSES, DATASETS, SCORERS, SAMPLERS, PRUNERS)
"""Those whose components have settings in a study file; a backbone is a name."""


def family_of(config: type[Config]) -> ComponentFamily | None:
    """Return the family of which this is the config class of a component, if any."""
    return next((family for family in FAMILIES if config in map(family.config_class, family.names())), None)
