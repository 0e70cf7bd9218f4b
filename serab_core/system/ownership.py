"""Checks whether another user can change a file or folder.

serab does not apply settings from a file, and does not load compiled code from a folder, that another user of the
machine could have written. The superuser does not count as another user, because the superuser can change every file.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_ACL = "system.posix_acl_access"  # the attribute that holds a file's access control list on Linux


def untrusted_reason(path: Path) -> str:
    """Return why another user could have written a file or folder; "" if no other user could.

    A symbolic link is checked together with its target. A group without other members, which many systems create for
    every user, does not count. Windows has no such owners; the result there is "".

    Raises:
        OSError: there is no such file, or it cannot be examined.
    """
    if os.name == "nt":
        return ""
    for state in (path.lstat(), path.stat()):
        if state.st_uid not in (os.geteuid(), 0):
            return f"belongs to another user ({_user_name(state.st_uid)})"
    mode = path.stat().st_mode
    if mode & stat.S_IWOTH:
        return "can be written by every user"
    if mode & stat.S_IWGRP and (_has_access_list(path) or not _is_private_group(path.stat().st_gid)):
        return f"can be written by the group {_group_name(path.stat().st_gid)}"
    return ""


def untrusted_file_reason(path: Path) -> str:
    """Return why another user could have written a file, or created it in its folder; "" if no other user could.

    Raises:
        OSError: there is no such file, or it cannot be examined.
    """
    if reason := untrusted_reason(path):
        return reason
    reason = untrusted_reason(path.parent)
    return f"lies in a folder that {reason}" if reason else ""


def _user_name(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"number {number}"


def _group_name(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return f"number {number}"


def _is_private_group(number: int) -> bool:
    """Return whether a group belongs to this user alone: the primary group, with the user's name, without others."""
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(number)
    except KeyError:
        return False
    return user.pw_gid == number and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}


def _has_access_list(path: Path) -> bool:
    """Return whether an access control list names further users; the group bits are then their maximum permissions."""
    try:
        return _ACL in os.listxattr(path) if hasattr(os, "listxattr") else False
    except OSError:
        return False  # a file system without access control lists
