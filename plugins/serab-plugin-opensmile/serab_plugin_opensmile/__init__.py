"""openSMILE's functionals (Eyben et al., 2010): one vector of statistics per utterance.

openSMILE is not thread-safe, so serab runs it in processes. Features are always computed from the 16 kHz float signal.
openSMILE reads integers from a file, which gives different features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import ExtractorSpec, hookimpl

if TYPE_CHECKING:
    from serab_core.plugin import Register
    from serab_plugin_opensmile.functionals import Functionals

SERAB_API_VERSION = 1

_CITATION = """@inproceedings{eyben2010opensmile,
  title     = {openSMILE: the Munich versatile and fast open-source audio feature extractor},
  author    = {Eyben, Florian and W{\\"o}llmer, Martin and Schuller, Bj{\\"o}rn},
  booktitle = {Proceedings of the 18th ACM International Conference on Multimedia},
  pages     = {1459--1462},
  year      = {2010}
}"""

_SETS = {
    # public name: (feature set, dimension, summary)
    "opensmile": ("ComParE_2016", 6373, "openSMILE ComParE_2016 functionals, the paper's baseline"),
    "opensmile/egemaps": ("eGeMAPSv02", 88, "openSMILE eGeMAPSv02 functionals, the extended Geneva minimalistic set"),
    "opensmile/gemaps": ("GeMAPSv01b", 62, "openSMILE GeMAPSv01b functionals, the Geneva minimalistic set"),
}


def _spec(name: str, feature_set: str, dim: int, summary: str) -> ExtractorSpec:
    def factory() -> Functionals:
        from serab_plugin_opensmile.functionals import Functionals

        return Functionals(feature_set, dim)

    return ExtractorSpec(
        name=name,
        factory=factory,
        dim=dim,
        summary=summary,
        licence="audEERING research licence (openSMILE; free for research and teaching)",
        citation=_CITATION,
        parameters={"feature_set": feature_set, "level": "functionals", "least_samples": 1600},
        libraries=("opensmile",),
    )


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register the three feature sets. `opensmile` is the one of the paper."""
    for name, (feature_set, dim, summary) in _SETS.items():
        register(_spec(name, feature_set, dim, summary))
