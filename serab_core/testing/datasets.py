"""Checks of a dataset, which need none of its audio."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from serab_core import plugins
from serab_core.data.splits import draw_groups
from serab_core.testing.checks import Check, checker
from serab_core.types import SPLITS, SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROTECTS = {
    "declared": "users must know what a corpus is, on what terms, and where to get it",
    "counts": "an incomplete copy is told from a whole one by the expected counts",
    "foreign": "a folder of other files must not pass for the corpus",
    "variants": "each protocol takes a split variant by name",
}


def dataset_checks(name: str) -> Iterator[Check]:
    """The checks of the dataset called `name`."""

    def declared() -> None:
        spec = plugins.dataset(name)
        for field in ("title", "language", "licence", "how_to_get"):
            assert str(getattr(spec, field)).strip(), f"{field} is empty"
        assert len(set(spec.labels)) == len(spec.labels) >= 2, f"labels are {spec.labels}"

    def counts() -> None:
        spec = plugins.dataset(name)
        assert set(spec.expected_counts) == set(spec.labels), "expected_counts does not have the labels as its keys"
        assert all(count > 0 for count in spec.expected_counts.values()), "a label is expected in no utterance"
        if spec.expected_ids is not None:
            ids = spec.expected_ids()
            total = sum(spec.expected_counts.values())
            assert len(ids) == total, f"{len(ids)} ids are listed and {total} utterances expected"

    def foreign() -> None:
        def unread() -> bytes:
            raise AssertionError("index read a file to find out that it is foreign")

        strangers = [SourceFile(PurePosixPath(p), 1, unread) for p in ("readme.txt", "music/track 1.wav", "x.wav")]
        found = plugins.dataset(name).index(strangers).entries
        assert not found, f"index took {found[0].file.name} for an utterance"

    def variants() -> None:
        spec = plugins.dataset(name)
        names = [variant.name for variant in spec.variants]
        assert len(set(names)) == len(names) >= 1, f"variants are {names}"
        assert spec.released_variant in names, f"released_variant {spec.released_variant!r} is none of {names}"
        for variant in spec.variants:
            if variant.groups:
                drawn = set(draw_groups(variant.groups, variant.ratios).values())
                assert drawn == set(SPLITS), f"variant {variant.name} fills only {sorted(drawn)}"

    check = checker("dataset", name, _PROTECTS, {})
    yield check("declared", declared, "fill the fields of the spec")
    yield check("counts", counts, "count the corpus's labels, and list every utterance once")
    yield check("foreign", foreign, "let parse return None for a name that is not of the corpus")
    yield check("variants", variants, "name each variant once, and the released one among them")
