"""The top-level package `analysis` under a name that nobody else uses: the same modules, not copies of them.

A folder named `analysis` beside a user's script hides the installed package; this name still finds it.
"""

import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis import *  # noqa: F403

_OURS = Path(__file__).resolve().parents[2] / "analysis"


def _is_ours(spec: ModuleSpec | None) -> bool:
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve().parent == _OURS


class _Same(MetaPathFinder, Loader):
    """Finds `reid_search.analysis.reading` as the module `analysis.reading`."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        """Return a spec for a module of ours; None for any other."""
        del path, target
        return ModuleSpec(fullname, self) if fullname.startswith(f"{__name__}.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import the module under its other name and return it."""
        module = importlib.import_module(spec.name.removeprefix("reid_search."))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Keep the module as it is, with the name under which it was first imported."""
        module.__spec__ = module.__spec__.loader_state if module.__spec__ else None


if _is_ours(importlib.util.find_spec("analysis")):
    sys.meta_path.insert(0, _Same())
    sys.modules[__name__] = importlib.import_module("analysis")
else:
    __path__ = [str(_OURS)]
    _names = importlib.import_module(f"{__name__}.names")
    __all__ = list(_names.PUBLIC)

    def __getattr__(name: str) -> object:
        return _names.resolve(__name__, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *_names.PUBLIC})
