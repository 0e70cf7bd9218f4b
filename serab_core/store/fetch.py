"""Downloads the published weight files of extractors, from their address or its mirrors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serab_core.errors import WeightsError, store_error
from serab_core.store.download import MAX_BYTES, download, sweep_downloads
from serab_core.store.http_stream import RESPONSE_S, DownloadError
from serab_core.store.weights import describe

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import Progress, WeightFile


def fetch(home: Home, extractor: str, weight: WeightFile, progress: Progress) -> Path:
    """Downloads the published file, trying its mirrors in turn.

    Args:
        home: the home; the file lies in its `weights/downloads` until it is taken in.
        extractor: whose it is, for messages.
        weight: the file.
        progress: told of bytes.

    Returns:
        the file, whole and of the right sha256 where that is known.

    Raises:
        WeightsError: no address gives it; what has come so far is kept, and the next try goes on from there.
        StoreError: it cannot be written.
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
        f"cannot be fetched: {describe(weight)}. Tried {'; '.join(failures)}",
        where=extractor,
        next_step=f"try again, or bring the file from elsewhere and `serab weights import {extractor} FILE`",
    )
