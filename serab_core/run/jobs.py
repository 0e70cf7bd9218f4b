"""The independent pieces of work, as functions of plain values, so that any executor can run them anywhere."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from functools import partial, wraps
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from serab_core import plugins
from serab_core.embed.blocks import Block, cut_blocks, read_blocks
from serab_core.embed.embedder import Pace, embed_block, fit_corpus, repeat_block, warm
from serab_core.engine.process_state import surroundings_kept
from serab_core.engine.worker import report, working
from serab_core.errors import ContentError, PluginError, SerabError
from serab_core.score.metrics import METRICS, accuracy, continuous_scores, uar
from serab_core.store.home import Home
from serab_core.store.jsonio import digest
from serab_core.store.reading import file_exists
from serab_core.store.results import journal_path, outcome_path, read_outcome, write_outcome
from serab_core.system import offline
from serab_core.system.timing import clocked, stage
from serab_core.tune.classifier import journal_key, normalised, study_identity, study_key, tune_classifier
from serab_core.tune.layers import best_layer
from serab_core.tune.studies import StudyAbout, write_about
from serab_core.types import ClassifierOutcome, CorpusState, ProtocolSpec, Task, Utterance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serab_core.tune.layers import Tuned
    from serab_core.types import ClassifierSpec, Features

_P = ParamSpec("_P")
EMBED = "embed"
TUNE = "tune"


@dataclass(frozen=True, slots=True)
class Source:
    """One extractor's embeddings of one task: everything needed to find or make them.

    Attributes:
        home: the home's folder.
        extractor: its name, as the registry knows it.
        fingerprint: digest of its fingerprint.
        state: corpus statistics, for an extractor that uses them.
        layers: their names, where the embeddings are those of several.
    """

    home: str
    extractor: str
    fingerprint: str
    task: Task
    state: CorpusState | None = None
    layers: tuple[str, ...] = ()

    def blocks(self) -> tuple[Block, ...]:
        """The task's blocks."""
        return cut_blocks(Home(Path(self.home)), self.task, self.fingerprint, self.state)

    @property
    def embeddings_id(self) -> str:
        """Names the embeddings by what they depend on."""
        if self.state is None:
            return self.fingerprint
        return digest([self.fingerprint, dict(self.state)])


@dataclass(frozen=True, slots=True)
class Done:
    """What a job came to.

    Attributes:
        spent: its seconds by stage.
    """

    value: Any
    spent: Mapping[str, float]


def _job(function: Callable[_P, Any]) -> Callable[_P, Done]:
    """Makes a function a job: its worker counts as busy meanwhile, and its time is taken."""

    @wraps(function)
    def run(*arguments: _P.args, **named: _P.kwargs) -> Done:
        offline.forget_attempts()
        with working(), surroundings_kept(), clocked() as clock:
            value = function(*arguments, **named)
        offline.raise_attempts()
        return Done(value, clock.seconds)

    return run


@_job
def run_fit(extractor: str, train: tuple[Utterance, ...]) -> CorpusState:
    """Computes an extractor's corpus statistics."""
    return fit_corpus(extractor, train)


def run_warm(extractor: str) -> None:
    """Lets an extractor load its libraries and weights in a worker that would wait."""
    with contextlib.suppress(SerabError):  # the first block will meet it again, and say so
        warm(extractor)


@_job
def run_block(extractor: str, fingerprint: str, block: Block, state: CorpusState | None) -> Pace:
    """Embeds one block into its shard."""
    return embed_block(extractor, fingerprint, block, state, partial(report, EMBED))


@_job
def run_repeat(
    extractor: str, fingerprint: str, blocks: Sequence[tuple[Block, int]], state: CorpusState | None
) -> None:
    """Embeds a few utterances again. Raises ExtractorError where the numbers are others."""
    repeat_block(extractor, fingerprint, blocks, state)


def classifier_identity(spec: ClassifierSpec, protocol: ProtocolSpec, source: Source) -> dict[str, Any]:
    """The identity of one classifier's study on one task. Raises PluginError for a library that is not installed."""
    try:
        libraries = {name: metadata.version(name) for name in sorted(spec.libraries)}
    except metadata.PackageNotFoundError as error:
        raise PluginError(
            f"needs {error.name}, which is not installed", where=spec.name, next_step=f"pip install {error.name}"
        ) from error
    identity = study_identity(spec, protocol, source.task, source.embeddings_id, libraries)
    return identity | ({"layers": list(source.layers)} if source.layers else {})


def finished_outcome(home: Home, study: str) -> ClassifierOutcome | None:
    """The outcome of a study that came to its end before; None where there is none, or a damaged one.

    Raises:
        StoreError: there is one that cannot be read.
    """
    path = outcome_path(home, study)
    if not file_exists(path):
        return None
    try:
        return read_outcome(path)
    except ContentError:
        return None


@_job
def run_classifier(classifier: str, protocol: ProtocolSpec, source: Source) -> ClassifierOutcome:
    """Tunes, refits and tests one classifier, and writes its outcome down."""
    home = Home(Path(source.home))
    spec = plugins.classifier(classifier)
    identity = classifier_identity(spec, protocol, source)
    study = study_key(identity)
    about = StudyAbout.of(source.extractor, source.task, protocol, spec, study, journal_key(identity))
    write_about(home, replace(about, points=about.points * max(1, len(source.layers))))

    def tune(features: Features, layer: str = "") -> Tuned:
        own = identity | ({"layer": layer} if layer else {})
        return tune_classifier(
            spec,
            protocol,
            source.task,
            features,
            METRICS[protocol.objective],
            journal=journal_path(home, journal_key(own)),
            advance=partial(report, TUNE),
        )

    features = _features(source, protocol)
    with stage("tune"):
        points, best, test = best_layer(features, source.layers, tune) if source.layers else tune(features)
    continuous = bool(source.task.target)
    outcome = ClassifierOutcome(
        classifier=spec.name,
        title=spec.title,
        points=points,
        params=dict(best.params) if best else None,
        validation=best.score if best else None,
        test=test,
        accuracy=accuracy(test.truth, test.predicted) if test and not continuous else None,
        uar=uar(test.truth, test.predicted) if test and not continuous else None,
        scores=continuous_scores(test.truth, test.predicted) if test and continuous else {},
    )
    with stage("store"):
        write_outcome(outcome_path(home, study), outcome, identity)
    return outcome


def journals_of(classifier: str, protocol: ProtocolSpec, source: Source) -> list[Path]:
    """Where a classifier's trials on a task are kept; one file for each layer that is searched."""
    identity = classifier_identity(plugins.classifier(classifier), protocol, source)
    searched = [identity | {"layer": layer} for layer in source.layers] or [identity]
    return [journal_path(Home(Path(source.home)), journal_key(own)) for own in searched]


_kept: dict[tuple[str, str, str, ProtocolSpec], Features] = {}


def _features(source: Source, protocol: ProtocolSpec) -> Features:
    """The task's features; the last are kept, for a worker mostly gets several classifiers of one task in a row."""
    key = (source.embeddings_id, source.task.digest, source.task.audio_digest, protocol)
    if key not in _kept:
        _kept.clear()
        with stage("store"):
            embeddings = read_blocks(source.blocks())
        with stage("tune"):
            _kept[key] = normalised(source.task, embeddings, protocol)
    return _kept[key]
