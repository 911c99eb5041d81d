"""Answers that need torch, for commands that load none: another process imports the module that knows, and asks it."""

import importlib
import json
import os
import subprocess
import sys
from typing import Any


def answer_of(module: str, question: object) -> Any:
    """Return what `answer(question)` of a module returns, asked in another process unless torch is loaded in this one.

    Args:
        module: The module's full name.
        question: Plain data, as the answer is.

    Raises:
        RuntimeError: The other process failed; the message is what it wrote.
    """
    if "torch" in sys.modules:
        return importlib.import_module(module).answer(question)
    return answer_elsewhere(module, question)


def answer_elsewhere(module: str, question: object) -> Any:
    """Return the answer of another process; the rest is as in `answer_of`."""
    path = os.pathsep.join(folder for folder in sys.path if folder)
    done = subprocess.run(
        [sys.executable, "-m", __name__, module],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    print(json.dumps(importlib.import_module(sys.argv[1]).answer(json.load(sys.stdin))))  # noqa: T201  (the answer)
