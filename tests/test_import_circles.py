"""No import circle, found or hidden: under TYPE_CHECKING, in a function, by the lazy names of a package."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def _modules() -> dict[str, Path]:
    files = [file for top in ("reid_search", "analysis") for file in (ROOT / top).rglob("*.py")]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def _imported(name: str, file: Path) -> Iterator[str]:
    """Yield everything that a module may mean to import, wherever in the file it says so."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            here = name.split(".") + ["__init__"] * (file.stem == "__init__")
            home = [*(here[: -node.level] if node.level else []), *([node.module] if node.module else [])]
            yield from (".".join([*home, alias.name]) for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", None) == "lazy_names":
            texts = (item.value for item in ast.walk(node.args[1]) if isinstance(item, ast.Constant))
            yield from (f"{name}.{text}.*" for text in texts)  # modules among them are homes of lazy names


def _circle(modules: dict[str, Path]) -> list[str]:
    graph = {}
    for name, file in modules.items():
        found = {text if text in modules else text.rpartition(".")[0] for text in _imported(name, file)}
        graph[name] = {text for text in found if text in modules} - {name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_in_a_circle() -> None:
    modules = _modules()
    assert len(modules) > 200
    assert not _circle(modules)


@pytest.mark.parametrize(
    "hidden",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from b.c import x\n",
        "def f():\n    from .b import c\n    return c\n",
        "import b.c\n",
        "__getattr__ = lazy_names(__name__, {'x': 'd'})\n",
    ],
)
def test_a_hidden_circle_is_found(tmp_path: Path, hidden: str) -> None:
    files = {"a": hidden, "a.b.c": "import a\n", "a.d": "import a\n", "b": "", "b.c": "import a.d\n"}
    modules = {name: tmp_path / name / "__init__.py" for name in files}
    for name, file in modules.items():
        file.parent.mkdir()
        file.write_text(files[name])
    assert _circle(modules)
    modules["a"].write_text("")
    assert not _circle(modules)
