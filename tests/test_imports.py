"""What only reads or plans starts fast: it loads neither torch nor ray nor mlflow."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "ray", "mlflow", "optuna")


@pytest.mark.parametrize(
    "statement",
    [
        "import reid_search",
        "import reid_search.errors",
        "import reid_search.study",
        "import reid_search.records",
        "import reid_search.models, reid_search.losses, reid_search.data, reid_search.backbones",
        "import analysis",
    ],
)
def test_importing_loads_nothing_heavy(statement: str) -> None:
    script = f"import sys\n{statement}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
