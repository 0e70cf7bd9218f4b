"""Downloads the published weight files of extractors, from their address or a mirror."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serab_core.errors import WeightsError, store_error
from serab_core.store.download import MAX_BYTES, download, sweep_downloads
from serab_core.store.http_stream import RESPONSE_S, DownloadError
from serab_core.store.weights import describe
from serab_core.system.hints import command

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import Progress, WeightFile


def fetch(home: Home, extractor: str, weight: WeightFile, progress: Progress) -> Path:
    """Download the published file from the first address that sends it.

    Args:
        home: the home; the file stays in its `weights/downloads` until it is imported.
        extractor: the extractor that needs the file, for messages.
        weight: the file.
        progress: receives the number of kilobytes.

    Returns:
        the path of the complete file; its sha256 is checked if it is known.

    Raises:
        WeightsError: no address sends it; the partial file stays, and the next call resumes it.
        StoreError: the file cannot be written.
    """
    folder = home.weights / "downloads"
    sweep_downloads(folder)
    failures = []
    urls = (weight.url, *weight.mirrors)
    for url in urls:
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{weight.name}-{url.rpartition('/')[2]}")[-200:]
        try:
            return download(
                url,
                folder / name,
                sha256=weight.sha256,
                size=weight.size,
                max_bytes=MAX_BYTES,
                progress=progress,
                title=weight.name,
                response_s=RESPONSE_S / len(urls),
            )
        except DownloadError as error:
            failures.append(f"{url}: {error}")
        except OSError as error:
            raise store_error(error, folder) from error
    raise WeightsError(
        f"cannot download {describe(weight)}. Attempts: {'; '.join(failures)}",
        where=extractor,
        next_step=f"retry, or get the file elsewhere and run {command('weights import', extractor, 'FILE')}",
    )
