"""Names of files where the system's encoding is not UTF-8, such as in a C locale without Python's UTF-8 mode.

The bytes of a name on disk are UTF-8 nearly everywhere. Python decodes them by the locale, and represents bytes that it
cannot decode as lone surrogates. A name in a CSV or an index is UTF-8, and must be converted to that form.
"""

from __future__ import annotations

import os
import sys

_IS_UTF8 = sys.getfilesystemencoding().lower().replace("-", "") == "utf8"


def disk_name(name: str) -> str:
    """Return a path in the form for the functions of `os`, so that its bytes on disk are UTF-8."""
    if _IS_UTF8 or name.isascii() or sys.platform == "win32":
        return name
    return os.fsdecode(name.encode("utf-8", "surrogateescape"))
