"""Downloads a published weight file: under a temporary name, from where the last try stopped, checked at the end."""

from __future__ import annotations

import json
import logging
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serab_core.errors import WeightsError, store_error
from serab_core.store.weights import describe

if TYPE_CHECKING:
    from serab_core.store.home import Home
    from serab_core.types import Progress, WeightFile

_CHUNK = 1 << 16
_TIMEOUT_S = (4.0, 8.0)  # to connect, and between two chunks


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
    import pooch
    import requests

    logging.getLogger("pooch").setLevel(logging.WARNING)  # it announces what the progress bar shows
    folder = home.weights / "downloads"
    failures = []
    for url in (weight.url, *weight.mirrors):
        name = f"{weight.name.replace('/', '--')}-{url.rpartition('/')[2]}"
        try:
            found = pooch.retrieve(
                url,
                known_hash=f"sha256:{weight.sha256}" if weight.sha256 else None,
                fname=name,
                path=folder,
                downloader=partial(_resume, weight=weight, partial_file=folder / f"{name}.partial", progress=progress),
            )
            return Path(found)
        except requests.RequestException as error:
            failures.append(f"{url}: {_reason(error)}")
        except ValueError as error:  # pooch's word for another sha256
            failures.append(f"{url}: {' '.join(str(error).split())}")
        except OSError as error:
            raise store_error(error, folder) from error
    raise WeightsError(
        f"cannot be fetched: {describe(weight)}. Tried {'; '.join(failures)}",
        where=extractor,
        next_step=f"try again, or bring the file from elsewhere and `serab weights import {extractor} FILE`",
    )


def _resume(
    url: str, output_file: Any, pooch: Any, *, weight: WeightFile, partial_file: Path, progress: Progress
) -> None:
    """A downloader for pooch: goes on with `partial_file` if the server still has the file that it is a part of."""
    import requests

    note = partial_file.with_suffix(".json")
    have = partial_file.stat().st_size if partial_file.exists() and note.exists() else 0
    tag = json.loads(note.read_text())["etag"] if have else ""
    headers = {"Range": f"bytes={have}-", "If-Range": tag} if have and tag else {}
    with requests.get(url, stream=True, timeout=_TIMEOUT_S, headers=headers) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            partial_file.unlink()  # it is longer than the file: somebody else's
        answer.raise_for_status()
        resumed = answer.status_code == requests.codes.partial_content
        length = int(answer.headers.get("Content-Length") or 0)
        note.write_text(json.dumps({"etag": answer.headers.get("ETag", "")}))
        total = (have if resumed else 0) + length
        with (
            partial_file.open("ab" if resumed else "wb") as file,
            progress.stage(f"Fetching {weight.name} (kB)", total // 1000) as advance,
        ):
            done = told = 0
            if resumed:
                advance(have // 1000)
            for chunk in answer.iter_content(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                advance(done // 1000 - told)
                told = done // 1000
        if length and done < length:
            raise requests.ConnectionError(f"the connection closed after {done:,} of {length:,} bytes")
    shutil.move(partial_file, output_file)
    note.unlink()


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer"
    if isinstance(error, requests.ConnectionError) and "closed after" not in str(error):
        return "no connection"
    return " ".join(str(error).split())[:200]
