"""A Dask scheduler and its workers on this machine, set up as a user would set them up."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def dask_workers(count: int, site: Path) -> Iterator[str]:
    """Start workers with one thread and one core each, before any measurement begins.

    Each worker is bound to one core, as on a cluster. Without that, a single worker would use the other cores, too.

    Yields:
        HOST:PORT of the scheduler.
    """
    from distributed import Client, LocalCluster

    sys.path.insert(0, str(site))  # spawned processes inherit it
    try:
        with LocalCluster(n_workers=count, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
            with Client(cluster) as client:
                addresses = list(client.scheduler_info(n_workers=-1)["workers"])
                for core, address in zip(sorted(os.sched_getaffinity(0)), addresses, strict=False):
                    client.run(os.sched_setaffinity, 0, [core], workers=[address])
            yield cluster.scheduler_address.removeprefix("tcp://")
    finally:
        sys.path.remove(str(site))
