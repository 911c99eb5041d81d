import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOTH = pytest.mark.parametrize("package", ["analysis", "reid_search.analysis"])


def run(code: str, *first_on_path: Path) -> str:
    paths = [str(path) for path in (*first_on_path, ROOT)]
    program = f"import sys; sys.path[:0] = {paths!r}\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@BOTH
def test_both_names_reach_every_function_whatever_was_imported_before(package, study):
    module = import_module(package)
    for found in pkgutil.iter_modules(module.__path__):
        import_module(f"{package}.{found.name}")
    assert sorted(module.__all__) == [
        "ArmValue", "arm_values", "arm_verdicts", "best_values", "caveats", "compare_studies", "comparison_sheet",
        "conclusion", "contrasts", "expected_count", "load_arms", "load_search", "load_trials", "look_at_claims",
        "lost_seeds", "measured_speed", "planned_seconds", "rungs_to_set", "verdicts", "write_report",
    ]  # fmt: skip
    assert set(module.__all__) <= set(dir(module))
    assert all(callable(getattr(module, name)) for name in module.__all__)
    assert len(module.load_trials(study.path)) == 15
    assert len(module.load_arms(study.path)) == 12
    assert len(module.load_search(study.path)) == 6
    assert len(module.contrasts(module.load_arms(study.path))) == 3
    assert module.write_report(study.path) == study.path / "report" / "index.html"


@BOTH
def test_importing_is_cheap(package):
    heavy = "('pandas', 'numpy', 'scipy', 'matplotlib', 'jinja2', 'pyarrow', 'torch', 'ray', 'mlflow', 'optuna')"
    code = f"import {package}; print([name for name in {heavy} if name in sys.modules])"
    assert run(code) == "[]"


@pytest.mark.slow  # a fresh process has to import pandas, scipy and matplotlib
def test_a_users_own_analysis_folder_does_not_hide_ours_and_a_report_needs_no_torch(tmp_path, study):
    (tmp_path / "analysis").mkdir()
    (tmp_path / "analysis" / "__init__.py").write_text("OWN = True\n")
    code = f"""
import analysis, reid_search.analysis as ours
assert analysis.OWN
assert ours.write_report({str(study.path)!r}).is_file()
print([name for name in ("torch", "ray", "mlflow", "optuna") if name in sys.modules])
"""
    assert run(code, tmp_path) == "[]"


def test_both_names_are_the_same_modules():
    assert import_module("reid_search.analysis") is import_module("analysis")
    code = """
import importlib, pkgutil, warnings
warnings.simplefilter("error", ImportWarning)
import reid_search.analysis.reading.comparability as second
import analysis.reading.comparability as first
import reid_search.analysis, analysis
assert second is first and second.Difference is first.Difference
assert reid_search.analysis is analysis and reid_search.analysis.reading is analysis.reading
assert analysis.reading.__spec__.name == analysis.reading.__package__ == "analysis.reading"
for found in pkgutil.walk_packages(analysis.__path__, "analysis."):
    assert importlib.import_module(f"reid_search.{found.name}") is importlib.import_module(found.name), found.name
print("same")
"""
    assert run(code) == "same"


@BOTH
def test_an_unknown_name_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match="module 'analysis' has no attribute 'load_trails'"):
        getattr(import_module(package), "load_trails")  # noqa: B009
