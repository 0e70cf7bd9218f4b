"""A check that the stored embeddings of an extractor are equal to those that it computes now."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from serab_core.data.prepared import load, prepared_names
from serab_core.data.protocols import find_protocol
from serab_core.embed.blocks import folder_for
from serab_core.embed.embedder import largest_difference, load_waveform
from serab_core.embed.fingerprint import fingerprint_digest
from serab_core.errors import SerabError
from serab_core.store.home import find_home
from serab_core.store.shards import Shard, read_manifest, shard_rows
from serab_core.testing.checks import NOT_APPLICABLE, ConformanceError
from serab_core.types import CorpusExtractor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from serab_core.store.home import Home
    from serab_core.types import CorpusState, Embeddings, Extractor, ExtractorSpec, Utterance

COMPARED = 6  # utterances; each is one call of `embed`
_ROUNDING = 1e-4  # relative difference that batching may cause, as in the check `batch-independent`
_PER_SHARD = 2  # utterances of a shard, so that several shards, perhaps of different processes, are compared


def stored_embeddings_agree(spec: ExtractorSpec) -> str:
    """Compare stored embeddings of the extractor's fingerprint with new ones.

    Returns:
        "", or why the check is not applicable.

    Raises:
        ConformanceError: the numbers differ by more than the spec's tolerance.
    """
    home = find_home()
    utterances = _prepared_utterances(home)
    compared = 0
    for utterance, before, state in islice(_stored(home, fingerprint_digest(spec), utterances), COMPARED):
        again = _started(spec, state).embed([load_waveform(utterance, spec.sample_rate)])
        difference = float(largest_difference(before, np.array(again))[0])
        allowed = max(spec.tolerance, _ROUNDING)
        if not difference <= allowed:
            raise ConformanceError(
                f"the stored embedding of utterance {utterance.id} differs from the one computed now by "
                f"{100 * difference:.3g} % of the largest number (allowed: {100 * allowed:.3g} %), "
                "and the fingerprint is the same"
            )
        compared += 1
    return "" if compared else f"{NOT_APPLICABLE}the home holds no embeddings of this version of a prepared corpus"


def _prepared_utterances(home: Home) -> dict[str, Utterance]:
    """Return the utterances of all prepared corpora by the SHA-256 of their samples."""
    utterances: dict[str, Utterance] = {}
    protocol = find_protocol("serab")  # any protocol has all utterances
    for name in prepared_names(home):
        with suppress(SerabError):
            utterances |= {utterance.sha256: utterance for utterance in load(home, name).task(protocol).utterances}
    return utterances


def _stored(
    home: Home, digest: str, utterances: Mapping[str, Utterance]
) -> Iterator[tuple[Utterance, Embeddings, CorpusState | None]]:
    """Yield utterances with their stored embedding, shape (1, dim), and the corpus statistics of the embedding."""
    for manifest in sorted(folder_for(home, digest).glob("*.json")):
        with suppress(SerabError, KeyError, TypeError):
            shard = Shard(manifest.parent, manifest.stem)
            state = read_manifest(shard).provenance["corpus_state"]
            embeddings, names = shard_rows(shard)
            rows = [place for place, name in enumerate(names) if name in utterances][:_PER_SHARD]
            for row in rows:
                yield utterances[names[row]], embeddings[row : row + 1], state


def _started(spec: ExtractorSpec, state: CorpusState | None) -> Extractor:
    extractor = spec.factory()
    if state is not None:
        if not isinstance(extractor, CorpusExtractor):
            raise ConformanceError(
                "its stored embeddings have corpus statistics, but fit_corpus or use_corpus is missing"
            )
        extractor.use_corpus(state)
    return extractor
