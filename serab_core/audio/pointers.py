"""Recognises the small text files that git-lfs and git-annex put in place of a large file."""

from __future__ import annotations

POINTER_BYTES = 200  # bytes at the start of a file that `pointer` needs


def pointer(head: bytes) -> tuple[str, str] | None:
    """Return the fault of a pointer file, and how to get its content; None for any other file.

    Args:
        head: the first `POINTER_BYTES` of the file, or more.
    """
    if head.startswith(b"version https://git-lfs"):
        return "is a git-lfs pointer, not the file itself", "run `git lfs pull` in its repository"
    # An unlocked file holds "/annex/objects/KEY". A link, on a file system without links, is the text
    # "../.git/annex/objects/KEY".
    if head.lstrip(b"./\\").replace(b"\\", b"/").startswith((b"annex/objects/", b"git/annex/objects/")):
        return "is a git-annex pointer, not the file itself", "run `git annex get .` in its repository"
    return None


def is_annex_target(target: str) -> bool:
    """Whether a symbolic link leads into the object store of git-annex."""
    return "annex/objects/" in target.replace("\\", "/")
