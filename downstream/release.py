"""Set the version of all distributions of this repository.

    python downstream/release.py 0.2.0

`__version__` in serab_core/__init__.py is the version of every distribution: each pyproject.toml reads it from there.
This script changes that line, the version in CITATION.cff, the version ranges in which serab's distributions require
each other, and the heading in CHANGELOG.md. It commits nothing.
"""

from __future__ import annotations

import datetime
import re
import sys
from pathlib import Path

from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parents[1]
RANGED = ("pyproject.toml", "plugins/*/pyproject.toml", "plugins/*/serab_plugin_*/**/*.py", "docs/**/*.md",
          "tests/example_plugin/pyproject.toml")  # fmt: skip
_LINES = {
    "serab_core/__init__.py": r'^(__version__ = ")[^"]+(")$',
    "CITATION.cff": r"^(version: )\S+()$",
}
_RANGE = re.compile(r"(serab-[a-z-]+(?:\[\w+\])?)>=\d+\.\d+,<\d+\.\d+")


def compatible_range(version: Version) -> str:
    """Return the range of versions that work together: those of one minor version."""
    return f">={version.major}.{version.minor},<{version.major}.{version.minor + 1}"


def release(root: Path, version: Version, date: datetime.date) -> list[Path]:
    """Write a version into all files that carry it.

    Args:
        root: the repository.
        version: the new version.
        date: date of the release, for the changelog.

    Returns:
        the files that were changed.

    Raises:
        ValueError: a file that must carry the version does not.
    """
    texts: dict[Path, str] = {}
    for name, pattern in _LINES.items():
        path = root / name
        texts[path], count = re.subn(
            pattern, rf"\g<1>{version}\g<2>", path.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        if count != 1:
            raise ValueError(f"{path} has {count} lines of the form {pattern}")
    for path in sorted({path for pattern in RANGED for path in root.glob(pattern)}):
        text = path.read_text(encoding="utf-8")
        texts[path] = _RANGE.sub(rf"\g<1>{compatible_range(version)}", text)
    changelog = root / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    if f"## {version} " not in text:
        texts[changelog] = text.replace("## Unreleased\n", f"## Unreleased\n\n## {version} ({date.isoformat()})\n", 1)
    changed = [path for path, text in texts.items() if text != path.read_text(encoding="utf-8")]
    for path in changed:
        path.write_text(texts[path], encoding="utf-8")
    return changed


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        new = Version(sys.argv[1])
    except InvalidVersion as error:
        sys.exit(f"{error}. Write a version such as 0.2.0.")
    for path in release(ROOT, new, datetime.datetime.now(datetime.UTC).date()):
        print(path.relative_to(ROOT))
