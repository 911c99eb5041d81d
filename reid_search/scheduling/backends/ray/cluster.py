"""Ray: started here for one machine, or joined as a running cluster."""

import contextlib
import math
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reid_search.errors import EnvironmentFailure, ResourceError
from reid_search.study import Resources

if TYPE_CHECKING:
    from reid_search.scheduling.backends.ray.runner import OnRay

_OBJECT_STORE_BYTES = 128 * 1024**2
_PATIENCE_SECONDS = 5.0
_STARTS = 3
_ENVIRONMENT = {
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_worker_register_timeout_seconds": "600",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextlib.contextmanager
def connected(address: str, resources: Resources, cache: Path | None = None) -> "Iterator[OnRay]":
    """Connect to Ray while the block runs.

    The address `local` starts Ray on this machine, even if a cluster is running; `auto` joins the cluster that runs
    here; `HOST:PORT` joins that one.

    Raises:
        ResourceError: The cluster cannot be reached, Ray cannot start here, or no node can hold even one trial.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    _knock(address)
    if address != "local" and _has_token():
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    import ray

    from reid_search.scheduling.backends.ray.runner import OnRay

    options = {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES} if address == "local" else {}
    for again in range(_STARTS if address == "local" else 1, 0, -1):
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error", configure_logging=True, **options)
            break
        except Exception as error:  # Ray gives itself half a minute to start; a busy machine may need more
            if again == 1 or isinstance(error, ConnectionError | OSError | ValueError):
                kind = EnvironmentFailure if "timed out" in str(error) else ResourceError
                raise kind(_why_not(address, error)) from error
    try:
        yield OnRay(trials_at_once(resources), resources, cache)
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Find out at once whether anything answers at an address; Ray itself tries for minutes."""
    host, separator, port = address.rpartition(":")
    if not separator:
        return
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise ResourceError(_why_not(address, error)) from error


def _has_token() -> bool:
    """Say whether this user has a token for clusters; Ray uses it unasked only in a cluster that it starts itself."""
    named = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return named or (Path.home() / ".ray" / "auth_token").exists()


def trials_at_once(resources: Resources) -> int:
    """Return how many trials can run at once on the connected cluster.

    Raises:
        ResourceError: No node can hold even one.
    """
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    most = sum(fitting(node, resources) for node in nodes)
    if most == 0:
        raise ResourceError(_too_much(nodes, resources))
    return min(most, resources.concurrent or most)


def fitting(node: Mapping[str, float], resources: Resources) -> int:
    """Return how many trials fit on a node, which has `CPU` and `GPU`. Ray never splits a share between GPUs."""
    by_cpu = math.floor(node.get("CPU", 0.0) / resources.cpu + 1e-9)
    if not resources.gpu:
        return by_cpu
    gpus = node.get("GPU", 0.0)
    per_gpu = math.floor(1 / resources.gpu + 1e-9)
    by_gpu = math.floor(gpus) * per_gpu if per_gpu else math.floor(gpus / resources.gpu + 1e-9)
    return min(by_cpu, by_gpu)


def _too_much(nodes: list[Mapping[str, float]], resources: Resources) -> str:
    cpus = max((node.get("CPU", 0.0) for node in nodes), default=0.0)
    gpus = max((node.get("GPU", 0.0) for node in nodes), default=0.0)
    if resources.gpu > gpus:
        allowed = "0 trains on the CPU" if gpus == 0 else f"at most {gpus:g}"
        return f"resources.gpu: {resources.gpu:g}: the largest node has {gpus:g} GPUs; allowed: {allowed}"
    return f"resources.cpu: {resources.cpu:g}: the largest node has {cpus:g} CPUs; allowed: at most {cpus:g}"


def _why_not(address: str, error: Exception) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if address == "local":
        needs = "" if "timed out" in first else " (it needs a writable home and temporary folder)"
        return f"Ray could not start on this machine: {first}{needs}; `--address none` runs without it"
    return (
        f"--address {address}: no Ray cluster answers there: {first}; allowed: none, local, auto, or the HOST:PORT "
        "that `ray start --head` printed; a cluster with a token needs the same one in ~/.ray/auth_token here"
    )
