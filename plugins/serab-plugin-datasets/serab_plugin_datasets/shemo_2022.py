"""The ShEMO release of 2022, with corrected names and labels. SERAB's nine tasks use the release of 2019 instead.

The names have the format of the release of 2019 (see `shemo`), and 2,838 of them are in both releases. The same name
may mean different recordings: where a label was corrected, the following recordings were renumbered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import DatasetSpec, SplitVariant, hookimpl, index_by_name
from serab_plugin_datasets._lists import example_of, ids_of
from serab_plugin_datasets.shemo import CITATION, LABELS, LICENCE, SPEAKERS, layout, parse

if TYPE_CHECKING:
    from serab_core.plugin import Register

SERAB_API_VERSION = 1


@hookimpl
def serab_register_datasets(register: Register[DatasetSpec]) -> None:
    """Register `shemo-2022`."""
    register(
        DatasetSpec(
            name="shemo-2022",
            title="ShEMO (release of 2022)",
            language="fa",
            labels=tuple(LABELS.values()),
            index=index_by_name(parse),
            licence=LICENCE,
            citation=CITATION,
            how_to_get=(
                "download female.zip and male.zip by the links in the README of "
                "github.com/pariajm/sharif-emotional-speech-dataset, and name both"
            ),
            expected_counts={
                "anger": 1042,
                "fear": 32,
                "happiness": 203,
                "neutral": 1160,
                "sadness": 362,
                "surprise": 201,
            },
            expected_speakers=87,
            expected_ids=ids_of("shemo-2022"),
            releases=("shemo",),
            example=example_of("shemo-2022", layout),
            variants=(SplitVariant(groups=SPEAKERS),),
            speaker_sex={speaker: speaker[0].lower() for speaker in SPEAKERS},
        )
    )
