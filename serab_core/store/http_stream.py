"""The content of one https response, with a minimum rate."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

HTTP_VARIABLE = "SERAB_TEST_HTTP"  # for tests: loopback addresses that may use plain http, such as 127.0.0.1:8000
MIN_BYTES_PER_S = 1024  # bytes per second; a slower download is cancelled. Slow mobile networks reach 5,000
WINDOW_S = 60.0  # seconds over which the rate is measured
RESPONSE_S = 8.0  # seconds to wait for the response, redirects included
_SILENCE_S = 20.0  # seconds to wait for the next piece
_CHUNK = 1 << 14  # bytes per read
_MAX_HOPS = 10  # redirects in a row
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class DownloadError(Exception):
    """A file cannot be downloaded; the text gives the reason, as a sentence without a full stop."""


def is_safe(url: str, *, plain_http: bool = False) -> bool:
    """Return whether the address uses https, so that nobody on the way can change the content.

    `plain_http` allows http too, for content whose checksum is known. For tests, the variable `SERAB_TEST_HTTP` allows
    plain http to loopback addresses that it names with their port.
    """
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError:
        return False
    if address.scheme == "https" or (plain_http and address.scheme == "http"):
        return bool(address.hostname)
    allowed = os.environ.get(HTTP_VARIABLE, "").split(",")
    return address.scheme == "http" and address.hostname in _LOOPBACK and f"{address.hostname}:{port or 80}" in allowed


class HttpStream:
    """The response to a request. A separate thread reads it, so that a slow server cannot block the caller."""

    def __init__(self, url: str, headers: dict[str, str], *, plain_http: bool = False) -> None:
        self._queue: queue.Queue[requests.Response | bytes | BaseException | None] = queue.Queue(maxsize=64)
        self._stopped = threading.Event()
        arguments = (url, headers, plain_http)
        threading.Thread(target=self._run, args=arguments, daemon=True, name="serab-download").start()

    def response(self, timeout_s: float) -> requests.Response:
        """Return the response, before its content. Raises DownloadError."""
        try:
            item = self._queue.get(timeout=timeout_s)
        except queue.Empty:
            raise DownloadError("no response") from None
        if isinstance(item, BaseException):
            raise item
        assert item is not None, "the response comes first"
        assert not isinstance(item, bytes), "the response comes first"
        return item

    def pieces(self) -> Iterator[bytes]:
        """Yield the content. Raises DownloadError, also if the rate is too low."""
        begin, received = time.monotonic(), 0
        while True:
            left = begin + WINDOW_S - time.monotonic()
            try:
                item = self._queue.get(timeout=left) if left > 0 else None
            except queue.Empty:
                left, item = 0.0, None
            if left <= 0:
                if received < MIN_BYTES_PER_S * WINDOW_S:
                    raise DownloadError(f"too slow: the server sent {received:,} bytes in {WINDOW_S:g} seconds")
                begin, received = time.monotonic(), 0
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            assert isinstance(item, bytes), "the content follows the response"
            received += len(item)
            yield item

    def stop(self) -> None:
        """Stop the thread; it closes the connection after its next read."""
        self._stopped.set()
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()

    def _run(self, url: str, headers: dict[str, str], plain_http: bool) -> None:
        import requests

        try:
            with requests.Session() as session, _follow(session, url, headers, plain_http) as response:
                self._put(response)
                for piece in response.raw.stream(_CHUNK, decode_content=False):
                    if self._stopped.is_set():
                        return
                    self._put(piece)
            self._put(None)
        except Exception as error:
            self._put(_as_download_error(error))

    def _put(self, item: requests.Response | bytes | BaseException | None) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=0.5)
                return


def _follow(session: requests.Session, url: str, headers: dict[str, str], plain_http: bool) -> requests.Response:
    """Request an address, and follow its redirects; each address must be safe. Raises DownloadError."""
    for hop in range(_MAX_HOPS):
        if not is_safe(url, plain_http=plain_http):
            raise DownloadError(f"it redirects to {url[:200]}, which is not https" if hop else "not https")
        response = session.get(
            url, stream=True, allow_redirects=False, headers=headers, timeout=(RESPONSE_S, _SILENCE_S)
        )
        if not response.is_redirect:
            return response
        url = urljoin(url, response.headers["Location"])
        response.close()
    raise DownloadError(f"it redirects more than {_MAX_HOPS} times")


def _as_download_error(error: Exception) -> Exception:
    """Translate an error of the network to a DownloadError; return other errors unchanged."""
    import requests
    import urllib3

    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return DownloadError("no response")
    if isinstance(error, urllib3.exceptions.HTTPError | requests.exceptions.ChunkedEncodingError):
        return DownloadError("the connection closed before the end of the file")
    if isinstance(error, requests.exceptions.SSLError):
        return DownloadError(f"no secure connection ({' '.join(str(error).split())[:200]})")
    if isinstance(error, requests.ConnectionError):
        return DownloadError("no connection")
    if isinstance(error, requests.RequestException):
        return DownloadError(" ".join(str(error).split())[:200])
    return error
