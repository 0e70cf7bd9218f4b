"""Downloads a published weight file: under a temporary name, from where the last try stopped, checked at the end."""

from __future__ import annotations

import json
import queue
import re
import shutil
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from serab_core.errors import WeightsError, store_error
from serab_core.store.weights import describe

if TYPE_CHECKING:
    import requests

    from serab_core.store.home import Home
    from serab_core.types import Progress, WeightFile

_CHUNK = 1 << 16
MAX_BYTES = 1 << 35
"""Of a file whose size its plugin does not tell: 34 GB."""
_ANSWER_S = 8.0  # until one of the addresses has answered, all of them together
_CHUNK_S = 20.0  # between two pieces


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

    pooch.get_logger().setLevel("WARNING")  # it announces what the progress bar shows
    folder = home.weights / "downloads"
    failures = []
    urls = (weight.url, *weight.mirrors)
    for url in urls:
        if not _is_safe(url):
            failures.append(f"{url}: not https")
            continue
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{weight.name}-{url.rpartition('/')[2]}")
        try:
            found = pooch.retrieve(
                url,
                known_hash=f"sha256:{weight.sha256}" if weight.sha256 else None,
                fname=name,
                path=folder,
                downloader=partial(
                    _resume,
                    weight=weight,
                    partial_file=folder / f"{name}.partial",
                    progress=progress,
                    patience=_ANSWER_S / len(urls),
                ),
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
    url: str,
    output_file: Any,
    pooch: Any,
    *,
    weight: WeightFile,
    partial_file: Path,
    progress: Progress,
    patience: float,
) -> None:
    """A downloader for pooch: goes on with `partial_file` if the server still has the file that it is a part of."""
    import requests

    note = partial_file.with_suffix(".json")
    have = partial_file.stat().st_size if partial_file.exists() and note.exists() else 0
    tag = json.loads(note.read_text())["etag"] if have else ""
    headers = {"Range": f"bytes={have}-", "If-Range": tag} if have and tag else {}
    with _answer(url, headers, patience) as answer:
        if not _is_safe(answer.url):
            raise requests.RequestException(f"it leads to {answer.url}, which is not https")
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            partial_file.unlink()  # it is longer than the file: somebody else's
        answer.raise_for_status()
        resumed = answer.status_code == requests.codes.partial_content
        length = int(answer.headers.get("Content-Length") or 0)
        note.write_text(json.dumps({"etag": answer.headers.get("ETag", "")}))
        total = (have if resumed else 0) + length
        room = (weight.size if weight.size is not None else MAX_BYTES) - (have if resumed else 0)
        with (
            partial_file.open("ab" if resumed else "wb") as file,
            progress.stage(f"Fetching {weight.name} (kB)", total // 1000) as advance,
        ):
            done = told = 0
            if resumed:
                advance(have // 1000)
            for chunk in answer.iter_content(_CHUNK):
                done += len(chunk)
                if done > room:
                    file.close()
                    partial_file.unlink()
                    raise requests.RequestException(
                        f"it sends more than the {have * resumed + room:,} bytes that it may have"
                    )
                file.write(chunk)
                advance(done // 1000 - told)
                told = done // 1000
        if length and done < length:
            raise requests.ConnectionError(f"the connection closed after {done:,} of {length:,} bytes")
    shutil.move(partial_file, output_file)
    note.unlink()


def _is_safe(url: str) -> bool:
    """Whether nobody on the way can change what comes: https, or this machine itself."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1"))


def _answer(url: str, headers: dict[str, str], patience: float) -> requests.Response:
    """The server's answer, before its content. A name that has many addresses, or none that is found, takes no longer.

    Raises:
        requests.RequestException: there is none, or none in time.
    """
    import requests

    got: queue.SimpleQueue[requests.Response | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            got.put(requests.get(url, stream=True, timeout=(patience, _CHUNK_S), headers=headers))
        except Exception as error:
            got.put(error)

    threading.Thread(target=ask, daemon=True, name="fetch").start()
    try:
        answer = got.get(timeout=patience)
    except queue.Empty:
        raise requests.Timeout from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer"
    if isinstance(error, requests.ConnectionError) and "closed after" not in str(error):
        return "no connection"
    return " ".join(str(error).split())[:200]
