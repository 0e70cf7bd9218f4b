"""The documentation: every block is run, every command in it exists, every public thing is in the reference."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from serab_core import api, errors, hookspecs, settings, types
from serab_core.testing import classifiers, datasets, extractors

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LANGUAGES = {"sh", "python", "toml", "text"}
"""`sh` and `python` are run, files with a title are written; `text` is shown, for it needs what is not here."""


class Block(NamedTuple):
    language: str
    title: str
    code: str


def blocks(page: Path) -> list[Block]:
    found = re.findall(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', page.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(*parts) for parts in found]


def script(page: Path) -> str:
    """What a reader of the page does, as one script."""
    lines = ["set -eu"]
    for block in blocks(page):
        if block.title:
            lines += [f"mkdir -p $(dirname {block.title})", f"cat > {block.title} <<'END'\n{block.code}END"]
        elif block.language == "python":
            lines.append(f"python - <<'END'\n{block.code}END")
        elif block.language == "sh":
            lines.append(block.code)
    return "\n".join(lines)


RUN = [page for page in PAGES if any(b.language in ("sh", "python") or b.title for b in blocks(page))]


@pytest.fixture(scope="session")
def machine(tmp_path_factory) -> dict[str, str]:
    """An environment to install into, which has what this one has, and a home that the pages share."""
    folder = tmp_path_factory.mktemp("machine")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True, timeout=120)
    base = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
    own = Path(sysconfig.get_path("purelib", vars=base))
    (own / "ours.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    python = folder / "venv" / "bin" / "python"
    programs = {
        "serab": f'exec {python} -c "from serab_core.cli import main; main()" "$@"',
        "pytest": f'exec {python} -m pytest -p no:cacheprovider "$@"',
        "pip": f'command=$1; shift; exec {python} -m pip "$command" -q --no-index --no-deps --no-build-isolation "$@"',
    }
    for name, line in programs.items():
        program = folder / "venv" / "bin" / name
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COVERAGE", "COV_", "SERAB_"))}
    clean |= {name: os.environ[name] for name in ("SERAB_KERNEL_CACHE",) if name in os.environ}
    return clean | {
        "PATH": f"{folder / 'venv' / 'bin'}:{os.environ['PATH']}",
        "SERAB_HOME": str(folder / "home"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "COLUMNS": "100",
    }


@pytest.mark.standard
@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(DOCS)))
def test_what_a_page_says_works(page, machine, tmp_path):
    done = subprocess.run(
        ["bash", "-c", script(page)],
        cwd=tmp_path,
        env=machine,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_a_page_that_is_wrong_would_fail(machine, tmp_path):
    page = tmp_path / "wrong.md"
    for wrong in ("```sh\nserab evil opensmile\n```\n", "```python\nimport nothing_of_the_kind\n```\n"):
        page.write_text(wrong)
        done = subprocess.run(["bash", "-c", script(page)], cwd=tmp_path, env=machine, capture_output=True, check=False)
        assert done.returncode != 0


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_blocks_are_fenced_and_commands_exist(page):
    text = page.read_text()
    fenced = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    if page.parent != ROOT:
        assert not re.findall(r"\n\n {4}(?![-*\d:])\S", re.sub(r"^!!!.*?(?=^\S)", "", fenced, flags=re.M | re.S))
    assert {block.language for block in blocks(page)} <= LANGUAGES
    assert text.count("\n```") == 2 * len(blocks(page)) - text.startswith("```")
    known = commands()
    code = [block.code for block in blocks(page)]
    code += [*re.findall(r"`([^`\n]+)`", fenced), *re.findall(r"^ {4}(.*)$", fenced, re.MULTILINE)]
    found = re.findall(r"^serab ((?:[a-z][a-z-]*)(?: [a-z-]+)?)([^#\n]*)", "\n".join(code), re.MULTILINE)
    for typed, rest in found:
        if typed.split()[0] in ("pretrain", "hear-export"):
            continue  # a plugin's
        command = typed if typed in known else typed.split()[0]
        assert command in known or any(name.startswith(f"{command} ") for name in known), f"serab {typed}"
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", rest):
            assert option in known.get(command, ()) or command not in known, f"serab {typed}: {option}"


@pytest.fixture(scope="module")
def reference() -> Iterator[dict[str, str]]:
    sys.path.insert(0, str(DOCS))
    import reference_pages

    yield reference_pages.pages()
    sys.path.remove(str(DOCS))


def commands() -> dict[str, set[str]]:
    """serab's own commands with their options, as typer has them."""
    import typer

    from serab_core.cli.main import app

    found: dict[str, set[str]] = {}

    def walk(command, words):
        for name, child in getattr(command, "commands", {}).items():
            walk(child, [*words, name])
        if not getattr(command, "commands", None) and words:
            found[" ".join(words)] = {o for p in command.params for o in [*p.opts, *p.secondary_opts] if o[0] == "-"}

    walk(typer.main.get_command(app), [])
    return found


def test_every_hook_is_in_the_reference_with_its_signature(reference):
    names = [name for name in vars(hookspecs) if name.startswith("serab_")]
    assert names
    for name in names:
        arguments = ", ".join(
            f"{parameter}: {kind}"
            for parameter, kind in getattr(hookspecs, name).__annotations__.items()
            if parameter != "return"
        )
        assert f"def {name}({arguments}) -> " in reference["hooks"]


def test_every_option_is_in_the_reference(reference):
    page = reference["commands"]
    assert len(commands()) > 15
    for name, options in commands().items():
        section = page.partition(f"\n## serab {name}\n")[2].partition("\n## ")[0]
        assert section, name
        missing = [option for option in options - {"--help", "-h"} if f"`{option}`" not in section]
        assert not missing, (name, missing)


def test_every_check_setting_and_error_is_in_the_reference(reference):
    for kind, module in (("extractor", extractors), ("dataset", datasets), ("classifier", classifiers)):
        names = re.findall(r'@check\(\s*"([\w-]+)"', inspect.getsource(module))
        assert len(names) >= 10
        for name in names:
            assert re.search(rf"\| `{kind}-{name}` \| \S.* \| \S.* \|", reference["checks"]), name
    for key, setting in settings.SETTINGS.items():
        assert f"| `{key}` | `{setting.variable}` |" in reference["settings"]
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.SerabError):
            bases = ", ".join(base.__name__ for base in kind.__bases__)
            assert f"| {kind.exit_code} | `{name}({bases})` |" in reference["errors"]
            assert re.search(rf"\| {kind.exit_code} \|.*`{name}`", (DOCS / "using.md").read_text())


def test_every_field_of_the_specs_is_in_the_reference(reference):
    """mkdocstrings shows the attributes that the docstring of a class describes."""
    described = 0
    names = re.findall(r"^::: serab_core\.types\.(\w+)$", reference["specs"], re.MULTILINE)
    assert {"ExtractorSpec", "DatasetSpec", "ClassifierSpec", "Extractor", "Predictor"} <= set(names)
    for name in names:
        kind = getattr(types, name)
        if not dataclasses.is_dataclass(kind):
            continue
        section = inspect.getdoc(kind).partition("Attributes:\n")[2]
        fields = {field.name for field in dataclasses.fields(kind)}
        assert set(re.findall(r"^ {4}(\w+): \S", section, re.MULTILINE)) == fields, name
        described += len(fields)
    assert described > 70


def test_every_public_name_of_the_package_is_in_the_reference(reference):
    names = re.findall(r"^::: serab\.(\w+)$", reference["python"], re.MULTILINE)
    assert sorted(names) == sorted(api.__all__)
    for name in names:
        assert inspect.getdoc(getattr(api, name))


def test_the_tutorials_extractor_is_under_40_lines():
    """Tests and packaging included, as its title says."""
    files = [block for block in blocks(DOCS / "tutorials" / "extractor.md") if block.title]
    assert {Path(block.title).suffix for block in files} == {".toml", ".py"}
    lines = [line for block in files for line in block.code.splitlines() if line.strip()]
    assert 20 < len(lines) < 40


def test_toml_in_the_pages_is_toml():
    for page in PAGES:
        for block in blocks(page):
            if block.language == "toml":
                tomllib.loads(block.code)
