"""The protocols and their options, and the suite of tasks of the paper (arXiv:2110.03414)."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from serab_core.data.splits import SUITE as SUITE
from serab_core.errors import UnknownNameError, UsageError
from serab_core.settings import current_settings
from serab_core.system.hints import option
from serab_core.types import DEFAULT_SEED, ProtocolSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TRIALS = 60  # trials of a TPE search
DEFAULT_DRAWS = 20
SEED = "seed"  # the option of every protocol
_LIMITS = {"k": (1, 10_000), "draws": (1, 1_000), "seed": (0, 999_999_999)}  # smallest and largest value
REGRESSORS = ("ridge", "svr")
"""Regressors for continuous targets under every protocol; the first wins a tie."""


def for_targets(protocol: ProtocolSpec) -> ProtocolSpec:
    """Return the protocol for continuous targets: selection by validation CCC. The paper has no such targets."""
    return replace(protocol, objective="ccc", selection="validation", classifiers=REGRESSORS)


_PAPER = ("lda", "lr", "qda", "rf", "svc")


def _described(spec: ProtocolSpec) -> ProtocolSpec:
    """Return a protocol with folds, with its summary."""
    tested = {
        "speakers": "every speaker is tested once, without training on that speaker",
        "draws": f"{spec.draws} random splits over speakers",
        "corpus": "the folds of the corpus, each tested once",
    }[spec.splits]
    if spec.held_out > 1:
        tested = f"every speaker is tested once, {spec.held_out} in a fold, without training on these speakers"
    if spec.corpora:
        tested = "the five sessions of IEMOCAP, each tested once; in each fold one other session validates"
    elif spec.splits != "draws":
        tested += "; in each fold some of the other speakers validate"
    features = {
        "train": "features are normalised by the training speakers",
        "speaker": "features are normalised per speaker within each split (transductive)",
    }[spec.normalisation]
    return replace(spec, summary=f"{tested}; {features}; classifier chosen in each fold by validation UAR")


def _with_folds(
    name: str, splits: Literal["speakers", "corpus", "draws"], *, draws: int = 0, corpora: tuple[str, ...] = ()
) -> ProtocolSpec:
    return _described(
        ProtocolSpec(name, splits, "train", "uar", "validation", _PAPER, "", draws=draws, corpora=corpora)
    )


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
        _with_folds("loso", "speakers"),
        _with_folds("repeated", "draws", draws=DEFAULT_DRAWS),
        _with_folds("folds", "corpus"),
        _with_folds("iemocap-5fold", "corpus", corpora=("iem4",)),
    )
}


SPLIT_PROTOCOLS = tuple(spec for spec in PROTOCOLS.values() if not spec.has_folds)
"""The protocols with one split."""


def default_protocol() -> str:
    """Return the name of the default protocol. Raises ConfigError."""
    return current_settings().protocol


def find_protocol(name: str) -> ProtocolSpec:
    """Return the protocol called `name`, which can have options: `serab+seed=43`, `loso+k=2+normalisation=speaker`.

    Every protocol has the option `seed`. Options of protocols with folds: `k` test speakers in a fold of `loso`, the
    number of `draws` of `repeated`, and `normalisation`, which is `train` or `speaker`. An option with its default
    value is left out of the name.

    Raises:
        UnknownNameError: no protocol has that name.
        UsageError: the protocol has no such option, or the value is impossible.

    Example:
        >>> find_protocol("repeated+normalisation=speaker+draws=10").name
        'repeated+draws=10+normalisation=speaker'
    """
    base, *options = name.split("+")
    if base not in PROTOCOLS:
        raise UnknownNameError(
            f"there is no protocol {base!r}",
            next_step=f"the protocols are {', '.join(PROTOCOLS)}",
            suggestions=difflib.get_close_matches(base, PROTOCOLS, n=1, cutoff=0.3),
        )
    spec = PROTOCOLS[base]
    values: dict[str, str] = {}
    for text in options:
        key, _, value = text.partition("=")
        if key in values:
            raise UsageError(f"protocol {name} has the option {key} twice", next_step="give it once")
        values[key] = value
    return _with_options(spec, values)


def protocol_options(spec: ProtocolSpec) -> tuple[str, ...]:
    """Return the names of the options that a protocol has, sorted.

    Example:
        >>> protocol_options(find_protocol("loso"))
        ('k', 'normalisation', 'seed')
    """
    counts = {"speakers": ("k",), "draws": ("draws",)}.get(spec.splits, ())
    return (*counts, "normalisation", SEED) if spec.has_folds else (SEED,)


def with_seed(protocol: ProtocolSpec, seed: int) -> ProtocolSpec:
    """Return the protocol with another seed, which its name states. Raises UsageError for an impossible seed.

    Example:
        >>> with_seed(find_protocol("strict"), 43).name
        'strict+seed=43'
        >>> with_seed(find_protocol("strict+seed=43"), 42).name
        'strict'
    """
    _number(SEED, str(seed))
    name, _ = split_seed(protocol.name)
    return replace(protocol, seed=seed, name=name if seed == DEFAULT_SEED else f"{name}+{SEED}={seed}")


def split_seed(name: str) -> tuple[str, int]:
    """Return the name of a protocol without its seed, and the seed.

    Example:
        >>> split_seed("loso+k=2+seed=43"), split_seed("serab")
        (('loso+k=2', 43), ('serab', 42))
    """
    base, _, seed = name.partition(f"+{SEED}=")
    return (base, int(seed)) if seed.isascii() and seed.isdigit() else (name, DEFAULT_SEED)


def _with_options(spec: ProtocolSpec, values: Mapping[str, str]) -> ProtocolSpec:
    allowed = protocol_options(spec)
    unknown = [key for key in values if key not in allowed]
    if unknown:
        raise UsageError(
            f"protocol {spec.name} has no option {unknown[0]!r}",
            next_step=f"its options are {', '.join(allowed)}" if allowed else "leave it out",
            suggestions=difflib.get_close_matches(unknown[0], allowed, n=1),
        )
    changed = spec
    if "k" in values:
        changed = replace(changed, held_out=_number("k", values["k"]))
    if "draws" in values:
        changed = replace(changed, draws=_number("draws", values["draws"]))
    match values.get("normalisation", spec.normalisation):
        case "train":
            changed = replace(changed, normalisation="train")
        case "speaker":
            changed = replace(changed, normalisation="speaker")
        case other:
            raise UsageError(f"{other!r} is no normalisation", next_step="choose train or speaker")
    shown = {"k": changed.held_out, "draws": changed.draws, "normalisation": changed.normalisation}
    default = {"k": spec.held_out, "draws": spec.draws, "normalisation": spec.normalisation}
    chosen = [f"+{key}={shown[key]}" for key in allowed if key != SEED and shown[key] != default[key]]
    changed = _described(replace(changed, name="".join([spec.name, *chosen]))) if chosen else spec
    return with_seed(changed, _number(SEED, values[SEED])) if SEED in values else changed


def _number(key: str, value: str) -> int:
    low, high = _LIMITS[key]
    if not (value.isascii() and value.isdigit() and len(value) <= 9 and low <= int(value) <= high):
        raise UsageError(f"{key}={value} is not possible", next_step=f"give a number from {low} to {high}")
    return int(value)


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
