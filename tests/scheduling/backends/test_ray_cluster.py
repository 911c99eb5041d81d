"""How many trials fit on a cluster, by brute force and as Ray itself packs them."""

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from reid_search.errors import ResourceError
from reid_search.scheduling.backends import opened
from reid_search.scheduling.backends.ray import cluster
from reid_search.study import Resources

SHARES = ("0.1", "0.2", "0.25", "0.3", "0.4", "0.5", "0.75", "1", "2", "3")


def packed(cpus: Fraction, gpus: int, cpu: Fraction, gpu: Fraction) -> int:
    """Place trials one by one, each share on a single GPU, until no more fit."""
    free = [Fraction(1)] * gpus
    for placed in itertools.count():
        cpus -= cpu
        if cpus < 0:
            return placed
        wanted, share = (int(gpu), Fraction(1)) if gpu >= 1 else (1, gpu)
        places = [place for place, left in enumerate(free) if left >= share][:wanted]
        if gpu and len(places) < wanted:
            return placed
        for place in places if gpu else ():
            free[place] -= share
    raise AssertionError


@pytest.mark.parametrize("gpu", ["0", *SHARES])
def test_as_many_trials_fit_on_a_node_as_brute_force_places(gpu: str) -> None:
    for cpus, gpus, cpu in itertools.product(("1", "4", "6.5", "64"), range(5), ("0.1", "0.5", "1", "3")):
        node = {"CPU": float(cpus), **({"GPU": float(gpus)} if gpus else {})}
        expected = packed(Fraction(cpus), gpus, Fraction(cpu), Fraction(gpu))
        assert cluster.fitting(node, Resources(cpu=float(cpu), gpu=float(gpu))) == expected, (node, cpu)


@pytest.fixture(scope="module")
def two_gpus() -> Iterator[Any]:
    """Ray with eight CPUs and two GPUs that are not there."""
    import ray

    for _ in range(3):
        try:
            ray.init(address="local", num_cpus=8, num_gpus=2, include_dashboard=False, logging_level="error")
            break
        except Exception as error:  # half a minute was not enough for Ray's own processes to start
            reason = error
    else:
        raise reason
    yield ray
    ray.shutdown()


@pytest.mark.slow  # starts Ray
@pytest.mark.timeout(0)  # a busy machine may take minutes for that
@pytest.mark.parametrize("gpu", [0.4, 0.5, 1.0, 2.0])
def test_ray_packs_as_many(two_gpus: Any, gpu: float) -> None:
    """Of shares of 0.4 a fifth would fit on what is left of both GPUs together, and does not."""
    from ray.util.placement_group import placement_group, remove_placement_group

    resources = Resources(cpu=1, gpu=gpu)
    most = cluster.trials_at_once(resources)
    assert most == packed(Fraction(8), 2, Fraction(1), Fraction(str(gpu)))
    groups = [placement_group([{"CPU": 1, "GPU": gpu}]) for _ in range(most)]
    try:
        assert all(group.wait(120) for group in groups)
        groups.append(placement_group([{"CPU": 1, "GPU": gpu}]))
        assert not groups[-1].wait(1)
    finally:
        for group in groups:
            remove_placement_group(group)
    assert cluster.trials_at_once(Resources(cpu=1, gpu=gpu, concurrent=1)) == 1
    with pytest.raises(ResourceError, match=r"resources\.gpu: 3: the largest node has 2 GPUs; allowed: at most 2"):
        cluster.trials_at_once(Resources(cpu=1, gpu=3))
    with pytest.raises(ResourceError, match=r"resources\.cpu: 9: the largest node has 8 CPUs; allowed: at most 8"):
        cluster.trials_at_once(Resources(cpu=9, gpu=gpu))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nowhere", "allowed: HOST:PORT, auto, local, none"),
        ("127.0.0.1:1", "no Ray cluster answers there: .*; allowed: none, local, auto, or the HOST:PORT"),
        ("127.0.0.1:port", "no Ray cluster answers there"),
    ],
)
def test_an_address_where_nothing_is_says_what_is_allowed(address: str, reason: str) -> None:
    with pytest.raises(ResourceError, match=f"--address {address}: {reason}"), opened(address, Resources(), None):
        pass
