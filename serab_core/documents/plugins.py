"""The types of the documents that commands print about settings and plugins."""

from __future__ import annotations

from typing import Literal

import msgspec

from serab_core.documents.reports import Names
from serab_core.store.result_documents import Count


class SettingRow(msgspec.Struct, frozen=True):
    """A setting: the value in force, and its variable, its file or `default`; `default` describes the default.

    An empty list of tasks stands for all prepared tasks.
    """

    value: str | int | tuple[str, ...]
    origin: str = msgspec.field(name="from")
    default: str
    variable: str


class Ignored(msgspec.Struct, frozen=True):
    """A setting of a project's file that is ignored; null for the whole file."""

    file: str
    setting: str | None
    reason: str
    next_step: str


class ConfigDocument(msgspec.Struct, frozen=True):
    """What `serab config` prints."""

    schema: Literal["serab.config/1"]
    files: Names
    settings: dict[str, SettingRow]
    ignored: tuple[Ignored, ...]


class PluginRow(msgspec.Struct, frozen=True):
    """An entry point of a plugin."""

    group: str
    name: str
    state: str
    distribution: str
    version: str
    module: str
    file: str | None
    items: Names
    error: str


class EnvironmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """An isolated environment; `error` says why it cannot be used."""

    distribution: str
    version: str
    python: str
    extractors: Names
    error: str


class PluginsDocument(msgspec.Struct, frozen=True):
    """What `serab plugins` prints."""

    schema: Literal["serab.plugins/1"]
    api_version: int
    plugins: tuple[PluginRow, ...]
    isolated: tuple[EnvironmentRow, ...]


class IsolateDocument(EnvironmentRow, frozen=True, kw_only=True):
    """What `serab plugins isolate` prints."""

    schema: Literal["serab.environment/1"]
    removed: bool


class CatalogRow(msgspec.Struct, frozen=True):
    """A distribution of plugins, and the names that it provides by kind."""

    distribution: str
    installed: bool
    summary: str
    names: dict[str, Names]


class CatalogDocument(msgspec.Struct, frozen=True):
    """What `serab plugins --available` prints."""

    schema: Literal["serab.catalog/1"]
    plugins: tuple[CatalogRow, ...]


class ExtractorRow(msgspec.Struct, frozen=True):
    """An extractor."""

    name: str
    dim: Count | None
    rate_hz: Count
    weights: str
    summary: str
    licence: str
    options: dict[str, str]


class DatasetRow(msgspec.Struct, frozen=True):
    """A dataset."""

    name: str
    title: str
    language: str
    utterances: Count
    labels: Count
    speakers: Count | None


class ClassifierRow(msgspec.Struct, frozen=True):
    """A classifier."""

    name: str
    title: str
    summary: str
    grid_points: Count


class ExtractorsDocument(msgspec.Struct, frozen=True):
    """What `serab list extractors` prints; `broken` are plugins that failed to load."""

    schema: Literal["serab.extractors/1"]
    extractors: tuple[ExtractorRow, ...]
    broken: tuple[PluginRow, ...]


class DatasetsDocument(msgspec.Struct, frozen=True):
    """What `serab list datasets` prints; `broken` are plugins that failed to load."""

    schema: Literal["serab.datasets/1"]
    datasets: tuple[DatasetRow, ...]
    broken: tuple[PluginRow, ...]


class ClassifiersDocument(msgspec.Struct, frozen=True):
    """What `serab list classifiers` prints; `broken` are plugins that failed to load."""

    schema: Literal["serab.classifiers/1"]
    classifiers: tuple[ClassifierRow, ...]
    broken: tuple[PluginRow, ...]
