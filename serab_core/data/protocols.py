"""The three protocols, and the suite of tasks of the paper (arXiv:2110.03414)."""

from __future__ import annotations

import difflib
from dataclasses import replace

from serab_core.data.splits import SUITE as SUITE
from serab_core.errors import UnknownNameError, UsageError
from serab_core.settings import current_settings
from serab_core.system.hints import option
from serab_core.types import ProtocolSpec

DEFAULT_TRIALS = 60  # trials of a TPE search
REGRESSORS = ("ridge", "svr")
"""Regressors for continuous targets under every protocol; the first wins a tie."""


def for_targets(protocol: ProtocolSpec) -> ProtocolSpec:
    """Return the protocol for continuous targets: selection by validation CCC. The paper has no such targets."""
    return replace(protocol, objective="ccc", selection="validation", classifiers=REGRESSORS)


_PAPER = ("lda", "lr", "qda", "rf", "svc")

PROTOCOLS: dict[str, ProtocolSpec] = {
    spec.name: spec
    for spec in (
        ProtocolSpec(
            name="serab",
            splits="default",
            normalisation="speaker",
            objective="accuracy",
            selection="validation",
            classifiers=_PAPER,
            summary=(
                "features normalised per speaker within each split (transductive); "
                "classifier chosen by validation accuracy"
            ),
        ),
        ProtocolSpec(
            name="serab-released",
            splits="released",
            normalisation="speaker",
            objective="accuracy",
            selection="test",
            classifiers=_PAPER,
            summary=(
                "as the authors' released code: features normalised per speaker within each split (transductive); "
                "classifier chosen by TEST accuracy"
            ),
            caution="optimistic: the classifier was chosen on the test set",
        ),
        ProtocolSpec(
            name="strict",
            splits="default",
            normalisation="train",
            objective="uar",
            selection="validation",
            classifiers=_PAPER,
            summary="features normalised by the training split alone; classifier chosen by validation UAR",
        ),
    )
}


def default_protocol() -> str:
    """Return the name of the default protocol. Raises ConfigError."""
    return current_settings().protocol


def find_protocol(name: str) -> ProtocolSpec:
    """Return the protocol called `name`.

    Raises:
        UnknownNameError: no protocol has that name.
    """
    if name not in PROTOCOLS:
        raise UnknownNameError(
            f"there is no protocol {name!r}",
            next_step=f"the protocols are {', '.join(PROTOCOLS)}",
            suggestions=difflib.get_close_matches(name, PROTOCOLS, n=1, cutoff=0.3),
        )
    return PROTOCOLS[name]


def with_tuner(protocol: ProtocolSpec, tuner: str, trials: int | None) -> ProtocolSpec:
    """Return the protocol with the chosen tuner; a tuner other than the grid adds a caution.

    Raises:
        UsageError: the tuner does not exist, or trials were given for the grid.
    """
    if tuner == "grid":
        if trials is not None:
            raise UsageError(
                "a number of trials is only for the tuner tpe; the number of grid points is fixed",
                next_step=f"leave {option('trials')} out, or add {option('tuner', 'tpe')}",
            )
        return protocol
    if tuner != "tpe":
        raise UsageError(f"there is no tuner {tuner!r}", next_step="choose grid or tpe")
    if trials is not None and trials < 1:
        raise UsageError(f"{trials} trials are no search", next_step=f"give {option('trials', 60)}, or leave it out")
    count = DEFAULT_TRIALS if trials is None else trials
    caution = "; ".join(filter(None, (protocol.caution, f"tuned by TPE in {count} trials, not over the paper's grids")))
    return replace(protocol, tuner="tpe", trials=count, caution=caution)
