r"""Escapes third-party text for a terminal: characters that control the terminal or deceive the reader become codes.

Names, labels, summaries and file names come from corpora, plugins and results of third parties. Control characters in
them can move the cursor, rename the window or fill the clipboard. Characters that reorder text or have no width
deceive the reader. Each of these is shown as its code, such as `\x1b` or `\u202e`. Text in all scripts is shown
unchanged, with the joiners that Arabic and Indic scripts need.
"""

from __future__ import annotations

import re
import unicodedata

ZWNJ, ZWJ = "\u200c", "\u200d"  # the joiners: zero-width non-joiner and zero-width joiner
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029"  # C0 without tab and line feed, DEL, C1, line separators
_BIDIRECTIONAL = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u206a-\u206f"  # marks, embeddings, overrides, isolates
_INVISIBLE = (  # no width, or blank
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u2800\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_JOINERS = f"{ZWNJ}{ZWJ}"
_VARIATIONS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors
_SURROGATES = "\ud800-\udfff"
_SUSPECT = re.compile(f"[{_CONTROLS}{_BIDIRECTIONAL}{_INVISIBLE}{_JOINERS}{_VARIATIONS}{_SURROGATES}]")
_UNSAFE_IN_JSON = re.compile(f"[\x7f-\x9f\u2028\u2029{_BIDIRECTIONAL}{_INVISIBLE}{_SURROGATES}]")
_CONTEXT_DEPENDENT = re.compile(f"[{_JOINERS}{_VARIATIONS}]")


def escape_controls(text: str) -> str:
    """Return the text with a code for each character that controls a terminal or deceives a reader.

    Tabs and line feeds stay.
    """
    if not _SUSPECT.search(text):
        return text
    return _SUSPECT.sub(lambda match: _shown(match, text), text)


def escape_line(text: str) -> str:
    """Return the text of `escape_controls`, with codes for tabs and line feeds too, so that it stays on one line."""
    return escape_controls(text).replace("\n", r"\n").replace("\t", r"\t")


def file_content(text: str) -> bytes:
    """Return the content of a text file for people, such as a report: UTF-8, escaped by `escape_controls`."""
    return escape_controls(text).encode()


def escape_json(document: str) -> str:
    r"""Return a JSON document with `\u` escapes for characters that JSON allows and that control a terminal.

    The document has the same meaning, because such characters occur only within its strings.
    """
    return _UNSAFE_IN_JSON.sub(lambda match: _json_code(ord(match[0])), document)


def _json_code(point: int) -> str:
    if point < 0x10000:
        return f"\\u{point:04x}"
    high, low = divmod(point - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def _shown(match: re.Match[str], text: str) -> str:
    character = match[0]
    if _CONTEXT_DEPENDENT.match(character) and _has_effect(character, text, match.start()):
        return character
    point = ord(character)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def _has_effect(character: str, text: str, at: int) -> bool:
    """Return whether a joiner or variation selector changes the display of its neighbours, as some scripts need."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if character not in _JOINERS:
        return bool(before) and unicodedata.category(before) not in ("Lu", "Ll", "Cc", "Cf", "Zs")
    if not before or not after:
        return False
    if character == ZWJ and _is_pictograph(before) and _is_pictograph(after):
        return True
    return _joins(before) and _joins(after)


def _is_pictograph(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Sk") or character == "\ufe0f"


def _joins(character: str) -> bool:
    """Return whether the character is a letter or mark of a script without case, such as Arabic or Bengali."""
    category = unicodedata.category(character)
    if category in ("Mn", "Mc"):
        return not unicodedata.name(character, "").startswith("COMBINING")
    return category == "Lo"
