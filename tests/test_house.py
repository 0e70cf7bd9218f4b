"""The rules of the house, held by tests: what imports what, how long files are, which names are public."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import serab_core
from serab_core import errors, hookspecs

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    [*ROOT.glob("serab_core/**/*.py"), *ROOT.glob("registry/**/*.py"), *ROOT.glob("plugins/*/serab_*/**/*.py")]
)
ROOMS = [
    "errors",
    "system",
    "store.durable",
    "store.leftovers",
    "store.reading",
    "store.atomic",
    "store.jsonio",
    "store.codec",
    "project_file",
    "trust",
    "settings",
    "extractor_folder",
    "names",
    "types",
    "audio",
    "store",
    "isolation",
    "hookspecs",
    "options",
    "plugins",
    "data",
    "embed",
    "tune",
    "score",
    "engine",
    "run",
    "results",
    "bench",
    "report",
    "testing",
    "new",
    "documents",
    "api",
    "cli",
    "plugin",
]


def imports(path: Path) -> set[str]:
    """Return the modules and names that a file imports, and modules of the core that it names in a string."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant) and re.fullmatch(r"serab_core(\.\w+)+", str(node.value)):
            found.add(node.value)
    return found


def _place(module: str) -> int:
    """The place of a module's room: a module that is listed by itself may be earlier than its folder."""
    rooms = [room for room in ROOMS if f"{module}.".startswith(f"serab_core.{room}.")]
    return ROOMS.index(max(rooms, key=len)) if rooms else -1


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_short_and_import_upwards(path):
    assert len(path.read_text().splitlines()) <= 400
    own = imports(path)
    parts = path.relative_to(ROOT).parts
    if parts[0] == "registry":
        assert not [name for name in own if re.match(r"serab_(core|plugin)", name)]
    elif parts[0] == "plugins":
        package = parts[2]
        assert not [name for name in own if name.startswith("serab_plugin_") and name.split(".")[0] != package]
        core = [name for name in own if re.match(r"serab_(core|registry)\b", name)]
        assert not [name for name in core if not re.match(r"serab_core\.(plugin|testing)\b", name)]
    else:
        assert not [name for name in own if name.startswith("serab_plugin_")]
        room = parts[1].removesuffix(".py")
        if room not in ("__init__", "__main__"):
            module = ".".join(parts[1:]).removesuffix(".py")
            place = ROOMS.index(module if module in ROOMS else room)
            assert not [name for name in own if _place(name) > place]
        if path.relative_to(ROOT).as_posix() != "serab_core/plugins/entry_points.py":
            assert not [name for name in own if name.partition(".")[0] == "serab_registry"]


def test_functions_are_short():
    """At most 80 lines from `def` to the last statement, without the docstring."""
    long = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                docstring = first.end_lineno - first.lineno + 1 if ast.get_docstring(node) else 0
                if node.end_lineno - node.lineno + 1 - docstring > 80:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}")
    assert long == []


def test_every_room_is_in_the_plan():
    rooms = {p.name.removesuffix(".py") for p in (ROOT / "serab_core").iterdir() if not p.name.startswith("__")}
    assert rooms - {"py.typed"} == {room for room in ROOMS if "." not in room}


def test_the_contributors_guide_lists_the_rooms_in_order():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    listed = re.search(r"imports only earlier layers:\n\n((?:    .*\n)+)", text)
    assert listed
    assert re.split(r",\s+", listed[1].strip()) == ROOMS


def test_public_names_resolve():
    for name in serab_core.__all__:
        assert getattr(serab_core, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        serab_core.nonsense  # noqa: B018


def test_every_error_is_in_the_drawing_with_its_exit_code():
    kinds = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.SerabError)
    }
    drawn = dict(re.findall(r"(\w+Error)\s+(\d+)", errors.__doc__))
    assert drawn == {name: str(kind.exit_code) for name, kind in kinds.items()}


def test_errors_cross_processes_and_read_well():
    import pickle

    error = errors.AudioError("is empty", where="a.wav", next_step="serab data prepare again")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) == "a.wav: is empty. Next: serab data prepare again."
    assert copy.as_json() == error.as_json()
    assert str(errors.SerabError("it broke")) == "it broke."


def test_every_hook_is_documented_with_its_signature():
    page = (ROOT / "docs" / "plugins.md").read_text()
    for name, function in vars(hookspecs).items():
        if name.startswith("serab_"):
            arguments = ", ".join(function.__annotations__.keys() - {"return"})
            assert f"`{name}({arguments})`" in page


def test_nothing_in_the_sources_unpickles():
    # The words, not the tests that look for them; Optuna's snapshots, which pickle, are never switched on.
    pattern = re.compile(r"import pickle|joblib\.load|allow_pickle\s*=\s*True|weights_only\s*=\s*False|JournalSnapshot")
    assert [p for p in SOURCES if pattern.search(p.read_text())] == []


def test_the_conformance_kit_has_no_assert_statement():
    """`python -O` leaves them out, also those of the scripts that the kit runs in other processes."""
    statement = re.compile(r"^\s*assert\b", re.MULTILINE)
    files = sorted((ROOT / "serab_core" / "testing").glob("**/*.py"))
    assert files
    assert [path.name for path in files if statement.search(path.read_text())] == []


def test_pinned_versions_meet_the_ranges():
    from packaging.requirements import Requirement

    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)
    for project in [ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]:
        for text in tomllib.loads(project.read_text())["project"]["dependencies"]:
            wanted = Requirement(text)
            if not wanted.name.startswith("serab-"):
                assert wanted.specifier.contains(pins[wanted.name]), text


def test_names_say_what_they_hold():
    """Fillers that carry no meaning are no names. `what` is the public attribute of `SerabError`."""
    fillers = {"own", "told", "made", "found", "kept", "words", "one", "done", "thing", "parts", "grumpy", "foreign"}
    bad = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                    pass
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    pass
                case _:
                    continue
            if name.strip("_") in fillers:
                bad.append(f"{path.relative_to(ROOT)}:{node.lineno}: {name}")
    assert bad == []


def test_no_global_statement_and_no_change_of_the_environment_outside_its_module():
    bad = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Global():
                    bad.append(f"{path.relative_to(ROOT)}:{node.lineno}: global")
                case ast.Subscript(value=ast.Attribute(attr="environ"), ctx=ast.Store() | ast.Del()):
                    if path.parent.name != "system":
                        bad.append(f"{path.relative_to(ROOT)}:{node.lineno}: os.environ")
    assert bad == []


def _docstrings(tree: ast.AST) -> set[int]:
    bodies = [node.body for node in ast.walk(tree) if isinstance(getattr(node, "body", None), list)]
    statements = [statement for body in bodies for statement in body if isinstance(statement, ast.Expr)]
    return {id(statement.value) for statement in statements}


def test_commands_and_options_are_written_by_the_command_line():
    """A text that a user sees names them through `serab_core.system.hints`, which knows who reads it.

    Docstrings count where Python users read them, in `serab_core.api`. Exempt are `cli` and `report`, the commands of
    plugins, the options of pytest, texts of new packages, and options of other programs.
    """
    from serab_core.cli.main import app

    exempt = r"serab_core/(cli|report)/|serab_plugin_\w+/command\.py|testing/(pytest_plugin|speed)\.py"
    exempt += r"|new/scaffold\.py|pretrain/package\.py"
    others = {"--decode", "--local-dir", "--nthreads", "--nworkers"}  # of lame, hf, dask and dask
    others |= {"--constraint", "--disable-pip-version-check", "--no-input"}  # of pip
    commands = [
        *(command.name for command in app.registered_commands),
        *(group.name for group in app.registered_groups),
    ]
    pattern = re.compile(
        rf"\bserab (?:{'|'.join(map(str, commands))}|pretrain|hear-export)\b|(?<![\w-])--(?:[a-z][a-z-]+|$)"
    )
    bad = []
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        if re.search(exempt, name):
            continue
        tree = ast.parse(path.read_text())
        left_out = set() if name.startswith("serab_core/api/") else _docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
                found = [match for match in pattern.findall(node.value) if match not in others]
                if found and node.value.strip("-"):
                    bad.append(f"{name}:{node.lineno}: {found}")
    assert bad == []


def test_each_term_of_the_glossary_is_used():
    """Each term stands in the code or in another page, so that a search for it finds something."""
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    headings = [re.sub(r" \([^)]*\)", "", bold).rstrip(".") for bold in re.findall(r"\*\*([^*]+)\*\*", glossary)]
    terms = [term for heading in headings for term in heading.split(", ")]
    assert len(terms) >= 40
    pages = [page for page in ROOT.glob("docs/**/*.md") if page.name != "glossary.md"]
    text = "\n".join(path.read_text() for path in [*SOURCES, *pages]).lower()
    assert [term for term in terms if term.lower() not in text] == []


def test_no_branch_looks_at_the_text_of_an_error():
    """An error is told from another by its class, or by a field: its text is for people."""

    def is_text(node: ast.expr, errors: set[str]) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=name)]):
                return name in errors
            case ast.Call(func=ast.Attribute(value=value, attr="lower" | "strip" | "casefold")):
                return is_text(value, errors)
            case ast.Attribute(attr=name):
                return name in ("what", "next_step", "fault", "error_string")
            case ast.Name(id=name):
                return name in ("fault", "reason", "problem")
        return False

    bad = []
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        errors = {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name}
        for node in ast.walk(tree):
            match node:
                case ast.Compare(left=ast.Constant(value=str()), ops=[ast.In() | ast.NotIn()], comparators=[text]):
                    pass
                case ast.Compare(left=text, ops=[ast.Eq() | ast.NotEq()], comparators=[ast.Constant(value=str(value))]):
                    if not value:
                        continue
                case ast.Call(func=ast.Attribute(value=text, attr="startswith" | "endswith")):
                    pass
                case _:
                    continue
            if is_text(text, errors):
                bad.append(f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}")
    assert bad == []
