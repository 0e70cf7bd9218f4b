"""The type of the index of a prepared corpus: the fields that its readers use. An index may have more fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=1e9)]


class RowDocument(msgspec.Struct, frozen=True, gc=False):
    """An utterance."""

    id: str
    file: str
    label: str
    speaker: str
    sha256: str
    duration: Seconds
    cut: dict[str, tuple[str, Literal["train", "validation", "test"]]]
    targets: dict[str, float] = {}
    fold: str = ""
    sentence: str = ""
    silent: str = ""
    peak: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    rate: Annotated[int, msgspec.Meta(ge=0)] = 0
    channels: Annotated[int, msgspec.Meta(ge=0)] = 0


class VariantDocument(msgspec.Struct, frozen=True):
    """A way to split the corpus."""

    name: str
    note: str
    group: str = "speaker"
    ratios: tuple[Annotated[float, msgspec.Meta(ge=0.0, le=1.0)], ...] = ()
    shares_speakers: bool = False
    own_splits: bool = False
    fold_note: str = ""


class NoticeDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See `serab_core.types.Notice`."""

    kind: str
    severity: Literal["fault", "caution", "info"]
    text: str
    names: tuple[str, ...]


class IndexDocument(msgspec.Struct, frozen=True):
    """The index of a prepared corpus."""

    schema: Literal["serab.dataset/1"]
    name: str
    title: str
    language: str
    labels: tuple[str, ...]
    variants: Annotated[tuple[VariantDocument, ...], msgspec.Meta(min_length=1)]
    utterances: Annotated[tuple[RowDocument, ...], msgspec.Meta(min_length=1)]
    released_variant: str
    synthetic: bool
    partial: bool
    missing: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    choices: tuple[dict[str, Any], ...] = ()
    continuous: dict[str, tuple[str, ...]] = {}
    notices: tuple[NoticeDocument, ...] = ()
    plugin: dict[str, Any] | None = None
    speaker_sex: dict[str, Literal["f", "m"]] = {}

    def fault(self) -> str:
        """Return a fault that the types do not exclude, as a predicate; "" without a fault."""
        names = {variant.name for variant in self.variants}
        if self.released_variant not in names:
            return f"names a variant {self.released_variant!r}, which it does not describe"
        if len({row.id for row in self.utterances}) < len(self.utterances):
            return "has two utterances with one id"
        for variant in self.variants:
            if not any(variant.name in row.cut for row in self.utterances):
                return f"has no utterance in the variant {variant.name!r}"
        return ""
