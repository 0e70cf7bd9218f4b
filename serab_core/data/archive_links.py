"""Follows the links in an archive to their targets."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

_LINK_HOPS = 40  # maximum links in a row, as on Linux


def link_target(name: str, target: str) -> str:
    """Return the name of the member that a link points to. A leading slash stands for the archive's root."""
    base = "" if target.startswith("/") else posixpath.dirname(name)
    return posixpath.normpath(posixpath.join(base, target.lstrip("/") or "."))


def resolve_link(name: str, target: str, files: Container[str], links: Mapping[str, str]) -> str | None:
    """Return the regular member that a link leads to; None if it leads out of the archive or nowhere."""
    for _ in range(_LINK_HOPS):
        member = link_target(name, target)
        real = next(
            (form for form in (member, f"./{member}", target.lstrip("/")) if form in files or form in links), None
        )
        if real is None or real in files:
            return real
        name, target = real, links[real]
    return None


def folders_of_members(files: Iterable[str]) -> frozenset[str]:
    """Return the folders of the archive. Links to them need no resolution, because their files are listed anyway."""
    folders = {"."}
    for name in files:
        folder = posixpath.dirname(name.removeprefix("./"))
        while folder and folder not in folders:
            folders.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(folders)
