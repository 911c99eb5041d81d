"""The base of every config, and how a component (architecture, loss, data set) is found by its name.

A component is a package such as `reid_search/models/mgn/` whose torch-free `config.py` names its config class in
`CONFIG`. The module that does the work is imported only when a trial runs, so a plan is checked without torch.
"""

import importlib
import importlib.util
import os
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType, NoneType
from typing import Annotated, Any, ClassVar, Self, cast, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from reid_search.errors import StudyError, nearest


class EntryError(ValueError):
    """A value that breaks a rule, with the entry that it stands in.

    Args:
        message: Value, rule and the nearest valid choice.
        *path: The entry, relative to the config whose validator raises.
    """

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


def absolute(path: Path) -> Path:
    """Return a path from the root, so that it means the same in every process: a worker has another current folder."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100  (a link keeps its name)


AbsolutePath = Annotated[Path, AfterValidator(absolute)]


class Config(BaseModel):
    """A frozen piece of configuration; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    @model_validator(mode="wrap")
    @classmethod
    def _know_every_key(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, Mapping):
            for key in value:
                if key not in cls.model_fields:
                    raise EntryError(f"unknown key; {nearest(str(key), cls.model_fields)}", key)
        return handler(value)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: object, info: ValidationInfo) -> object:
        """Refuse `true` and `"5000"` for a number, which pydantic would take for 1 and 5000."""
        if isinstance(value, bool | str):
            kinds = _kinds(cls.model_fields[str(info.field_name)].annotation)
            if kinds <= {int, float}:
                raise ValueError(f"{value!r} should be a {'number' if float in kinds else 'whole number'}")
        return value


@dataclass(frozen=True)
class OneOf:
    """Marks a field whose value is one of several names: `Annotated[str, OneOf(objectives)]`.

    Attributes:
        names: Returns the names; called whenever a value is checked, for a registry may grow.
    """

    names: Callable[[], Sequence[str]]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return a schema that refuses any other value before it is anything else."""
        return core_schema.no_info_before_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return a JSON schema that lists the names."""
        return {**handler(schema), "enum": list(self.names())}

    def _checked(self, value: object) -> object:
        if value not in self.names():
            raise EntryError(f"{value!r} is not a choice; {nearest(str(value), self.names())}")
        return value


def _kinds(annotation: object) -> set[object]:
    return set(get_args(annotation) or (annotation,)) - {NoneType}


class ComponentFamily:
    """Every component of one family, found by scanning its package and the entry points of other distributions.

    A field holds one where its annotation says so: `Annotated[SerializeAsAny[LossConfig], LOSSES]`.

    Args:
        package: The package whose sub-packages are the components, `reid_search.models`.
        discriminator: The key that names the component in a config: `architecture`, `kind` or `name`.
        noun: What an error message calls one: `architecture`.
        work: The module beside a component's `config.py` that does the work: `model`.
        shared: Whether components may share a folder, whose config then lists their names in the type of its
            discriminator.
    """

    _added: ClassVar[dict[tuple[str, str], type[Config]]] = {}

    def __init__(self, package: str, discriminator: str, noun: str, work: str, shared: bool = False) -> None:
        self.package = package
        self.discriminator = discriminator
        self.noun = noun
        self._work = work
        self._shared = shared

    def names(self) -> list[str]:
        """Return every known name, sorted."""
        return sorted(
            {*self._own(), *self._others(), *(name for family, name in self._added if family == self.package)}
        )

    def config_class(self, name: str) -> type[Config]:
        """Return the config class of a component.

        Raises:
            StudyError: No component has this name.
        """
        if (self.package, name) in self._added:
            return self._added[self.package, name]
        if name in self._own():
            return self._config_in(self._own()[name])
        if name in self._others():
            return cast("type[Config]", self._others()[name].load())
        raise StudyError(f"unknown {self.noun} '{name}'; {nearest(name, self.names())}")

    def work_module(self, config: Config) -> ModuleType:
        """Import the module that does the work of a component, which may load torch."""
        return importlib.import_module(f"{type(config).__module__.rpartition('.')[0]}.{self._work}")

    def add(self, name: str, config: type[Config]) -> None:
        """Make a component of another package known in this process (other processes need an entry point)."""
        self._added[self.package, name] = config

    def validate(self, value: object, default: str | None = None) -> Config:
        """Turn a mapping into the config of the component that it names."""
        if isinstance(value, Config):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(f"expected a map with the key '{self.discriminator}', got {value!r}")
        fields: dict[str, Any] = dict(value)
        name = fields.get(self.discriminator, default)
        if name is None:
            raise EntryError(f"this key is missing; {nearest('', self.names())}", self.discriminator)
        fields[self.discriminator] = name
        try:
            cls = self.config_class(str(name))
        except StudyError as error:
            raise EntryError(str(error), self.discriminator) from None
        return cls.model_validate(fields)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Make a field with this family in its annotation hold the config of the component that its value names."""
        return core_schema.no_info_before_validator_function(self.validate, handler(source))

    @cache  # noqa: B019  (families live as long as the process)
    def _config_in(self, folder: str) -> type[Config]:
        return cast("type[Config]", importlib.import_module(f"{self.package}.{folder}.config").CONFIG)

    @cache  # noqa: B019
    def _own(self) -> Mapping[str, str]:
        """Return the folder of each component of this package."""
        package = importlib.import_module(self.package)
        folders = [
            module.name
            for module in pkgutil.iter_modules(package.__path__)
            if module.ispkg and importlib.util.find_spec(f"{self.package}.{module.name}.config") is not None
        ]
        if not self._shared:
            return {folder: folder for folder in folders}
        return {
            name: folder
            for folder in folders
            for name in get_args(self._config_in(folder).model_fields[self.discriminator].annotation)
        }

    @cache  # noqa: B019
    def _others(self) -> dict[str, Any]:
        return {point.name: point for point in entry_points(group=self.package)}


BACKBONES = ComponentFamily("reid_search.backbones", "name", "backbone", work="model", shared=True)
ARCHITECTURES = ComponentFamily("reid_search.models", "architecture", "architecture", work="model")
LOSSES = ComponentFamily("reid_search.losses", "kind", "loss", work="loss")
DATASETS = ComponentFamily("reid_search.data", "name", "data set", work="data")
SCORERS = ComponentFamily("reid_search.scorers", "kind", "scorer", work="scorer")
SAMPLERS = ComponentFamily("reid_search.samplers", "kind", "sampler", work="sampler")
PRUNERS = ComponentFamily("reid_search.pruners", "kind", "pruner", work="pruner")
