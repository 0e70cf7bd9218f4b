"""A Dask scheduler and its workers on this machine, as a user would have them."""

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
    """Workers of one thread and one core each, which are there before anything is timed.

    As on a cluster, a worker has no more than its core: alone on this machine it would use the others too.

    Yields:
        HOST:PORT of their scheduler.
    """
    from distributed import Client, LocalCluster

    sys.path.insert(0, str(site))  # which spawned processes take over
    try:
        with LocalCluster(n_workers=count, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
            with Client(cluster) as client:
                addresses = list(client.scheduler_info(n_workers=-1)["workers"])
                for core, address in zip(sorted(os.sched_getaffinity(0)), addresses, strict=False):
                    client.run(os.sched_setaffinity, 0, [core], workers=[address])
            yield cluster.scheduler_address.removeprefix("tcp://")
    finally:
        sys.path.remove(str(site))
