"""Loading by name, and what a bad plugin does to others: nothing."""

from __future__ import annotations

import sys

import pytest
from packaging.utils import canonicalize_name
from serab_registry import (
    ApiVersionError,
    DisabledPluginError,
    DuplicatePluginError,
    Group,
    PluginLoadError,
    PluginState,
    Registry,
    UnknownPluginError,
    read_catalog,
)

from serab_core import hookspecs
from tests.conftest import install

EXTRACTORS = "serab.extractors"
GOOD = """
from types import SimpleNamespace
from serab_core import hookimpl
SERAB_API_VERSION = 1
@hookimpl
def serab_register_extractors(register):
    register(SimpleNamespace(name={name!r}, origin={origin!r}))
"""


def good(name: str, origin: str = "") -> str:
    return GOOD.format(name=name, origin=origin)


def make(**options) -> Registry:
    return Registry(hookspecs, **options)


def record(registry: Registry, name: str):
    return next(r for r in registry.records(Group.EXTRACTORS) if r.name == name)


def test_listing_names_imports_nothing(add_plugin):
    module = add_plugin("p-one", EXTRACTORS, "one", "raise SystemExit('imported')")
    registry = make()
    assert "one" in registry.names(Group.EXTRACTORS)
    assert record(registry, "one").state is PluginState.FOUND
    assert module not in sys.modules


def test_loading_one_imports_that_one_only(add_plugin):
    one = add_plugin("p-one", EXTRACTORS, "one", good("one"))
    two = add_plugin("p-two", EXTRACTORS, "two", good("two"))
    registry = make()
    assert registry.get(Group.EXTRACTORS, "one").name == "one"
    assert one in sys.modules
    assert two not in sys.modules
    found = record(registry, "one")
    assert (found.state, found.distribution, found.version) == (PluginState.LOADED, "p-one", "0.1")
    assert found.file is not None
    assert found.file.endswith(f"{one}.py")
    assert found.as_json()["items"] == ["one"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError"),
        ("x = 1", "does not implement the hook serab_register_extractors"),
        (good("one").replace("register(S", "raise ValueError('no'); register(S"), "ValueError: no"),
        (good("other"), "neither 'one' nor 'one/...'"),
        (good("one/"), "neither 'one' nor 'one/...'"),
        (good("one").replace("register(Sim", "register(3); register(Sim"), "int, which has no name"),
        (good("one").replace("    register(", "    return\n    register("), "registered nothing"),
        (good("one") + "    register(SimpleNamespace(name='one'))", "registered 'one' twice"),
        (good("one/a") + "    register(SimpleNamespace(name='one/b'))", "none of them as the default"),
        (good("one") + "    register(SimpleNamespace(name='one/b'), default=True)", "made 'one/b' the default"),
        (
            good("one/a") + "\n".join(f"    register(SimpleNamespace(name='one/{x}'), default=True)\n" for x in "bc"),
            "declares two defaults",
        ),
        (good("one").replace("(register):", "(register, colour):"), "PluginValidationError"),
        (good("one") + "@hookimpl\ndef serab_no_such_hook(): pass", "serab_no_such_hook"),
    ],
)
def test_a_bad_plugin_is_named_and_harms_nobody(add_plugin, code, reason):
    add_plugin("p-bad", EXTRACTORS, "one", code, version="6.6")
    add_plugin("p-two", EXTRACTORS, "two", good("two"))
    registry = make()
    with pytest.raises(PluginLoadError, match=r"extractor 'one' \(from p-bad 6.6\) failed to load") as caught:
        registry.load(Group.EXTRACTORS, "one")
    assert reason in str(caught.value)
    with pytest.raises(PluginLoadError):  # remembered, not tried again
        registry.load(Group.EXTRACTORS, "one")
    loaded = [item.record.name for item in registry.load_all(Group.EXTRACTORS)]
    assert "two" in loaded
    assert "one" not in loaded
    failed = record(registry, "one")
    assert failed.state is PluginState.FAILED
    assert reason in failed.error
    assert failed.items == ()


def test_what_a_plugin_prints_at_import_goes_to_stderr(add_plugin, capsys):
    add_plugin("p-one", EXTRACTORS, "one", "print('chatter')\n" + good("one"))
    make().load(Group.EXTRACTORS, "one")
    out, err = capsys.readouterr()
    assert out == ""
    assert "chatter" in err


def test_api_version(add_plugin):
    add_plugin("p-new", EXTRACTORS, "one", good("one").replace("VERSION = 1", "VERSION = 99"))
    registry = make()
    with pytest.raises(ApiVersionError, match="written for hook API 99; this serab speaks 1"):
        registry.load(Group.EXTRACTORS, "one")
    assert record(registry, "one").state is PluginState.INCOMPATIBLE


def test_two_distributions_with_one_name(add_plugin):
    add_plugin("p-one", EXTRACTORS, "same", good("same", "first"))
    add_plugin("P_Two", EXTRACTORS, "same", good("same", "second"))
    registry = make()
    with pytest.raises(DuplicatePluginError, match=r"'same' is offered by p-one 0.1 and p-two 0.1"):
        registry.load(Group.EXTRACTORS, "same")
    assert record(registry, "same").state is PluginState.CONFLICT
    assert "same" not in [loaded.record.name for loaded in registry.load_all(Group.EXTRACTORS)]
    assert registry.get(Group.EXTRACTORS, "p-one:same").origin == "first"
    assert registry.get(Group.EXTRACTORS, "p_two:same").origin == "second"
    alone = make(disabled=["p-two"])
    assert alone.get(Group.EXTRACTORS, "same").origin == "first"


@pytest.mark.parametrize("word", ["one", "p-one", "p-one:one", "P_One", "P.One:one"])
def test_disabling(add_plugin, word):
    module = add_plugin("p-one", EXTRACTORS, "one", good("one"))
    registry = make(disabled=[" " + word, ""])
    assert "one" not in registry.names(Group.EXTRACTORS)
    with pytest.raises(DisabledPluginError, match="disabled: SERAB_DISABLE_PLUGINS names it"):
        registry.load(Group.EXTRACTORS, "one")
    registry.load_all(Group.EXTRACTORS)
    assert record(registry, "one").state is PluginState.DISABLED
    assert module not in sys.modules


def test_no_plugins_at_all(add_plugin):
    add_plugin("p-one", EXTRACTORS, "one", good("one"))
    registry = make(enabled=False)
    assert registry.names(Group.EXTRACTORS) == ()
    with pytest.raises(DisabledPluginError, match="disabled: no plugins are loaded"):
        registry.load(Group.EXTRACTORS, "one")
    assert len(registry.listeners()) == 0


def test_variants_and_default(add_plugin):
    more = "    register(SimpleNamespace(name='one/b', origin='b'), default=True)\n"
    add_plugin("p-one", EXTRACTORS, "one", good("one/a", "a") + more)
    registry = make()
    assert registry.get(Group.EXTRACTORS, "one").origin == "b"
    assert registry.get(Group.EXTRACTORS, "one/a").origin == "a"
    assert registry.get(Group.EXTRACTORS, "p-one:one/a").origin == "a"
    with pytest.raises(UnknownPluginError) as caught:
        registry.get(Group.EXTRACTORS, "one/c")
    assert set(caught.value.near) == {"one/a", "one/b"}


def share(site, entries: str) -> Registry:
    """A distribution whose entry points name one module, which registers `one`, `one/b` and `two`."""
    code = GOOD.format(name="one", origin="1") + (
        "    register(SimpleNamespace(name='one/b', origin='1b'))\n"
        "    register(SimpleNamespace(name='two/c', origin='2'), default=True)\n"
    )
    code += "class Plain:\n    hook = 3\nclass Kind:\n    def __init__(self, name):\n        self.name = name\n"
    code += "    @hookimpl\n    def serab_register_extractors(self, register):\n"
    code += "        register(SimpleNamespace(name=self.name, origin='object'))\n"
    code += "third, newer = Kind('three'), Kind('four')\nnewer.SERAB_API_VERSION = 2\n"
    (site / "p_many.py").write_text(code)
    install(site, "p-many", "0.1", f"[{EXTRACTORS}]\n{entries}")
    return make()


def test_several_entry_points_share_a_module(site):
    registry = share(site, "one = p_many\ntwo = p_many\n")
    assert registry.load(Group.EXTRACTORS, "one").record.items == ("one", "one/b")
    assert registry.load(Group.EXTRACTORS, "two").record.items == ("two/c",)
    assert registry.get(Group.EXTRACTORS, "two").origin == "2"
    with pytest.raises(UnknownPluginError):
        registry.get(Group.EXTRACTORS, "one/c")
    codes = {registry.code(registry.record(Group.EXTRACTORS, name)) for name in ("one", "two")}
    assert len(codes) == 1


def test_a_shared_module_registers_only_names_of_its_entry_points(site):
    registry = share(site, "one = p_many\n")
    with pytest.raises(PluginLoadError, match=r"registered 'two/c', which is neither 'one' nor 'one/...'"):
        registry.load(Group.EXTRACTORS, "one")


def test_an_entry_point_may_name_an_object_of_a_module(site):
    entries = "three = p_many:third\nfour = p_many:newer\nfive = p_many:nothing\nsix = p_many:Plain\n"
    registry = share(site, entries)
    assert registry.get(Group.EXTRACTORS, "three").origin == "object"
    assert record(registry, "three").file.endswith("p_many.py")
    with pytest.raises(ApiVersionError):
        registry.load(Group.EXTRACTORS, "four")
    with pytest.raises(PluginLoadError, match="AttributeError: module 'p_many' has no attribute 'nothing'"):
        registry.load(Group.EXTRACTORS, "five")
    with pytest.raises(PluginLoadError, match="does not implement the hook"):
        registry.load(Group.EXTRACTORS, "six")


def test_unknown_names_have_neighbours_and_installs(add_plugin, monkeypatch):
    add_plugin("p-one", EXTRACTORS, "wave-model", good("wave-model"))
    registry = make()
    with pytest.raises(UnknownPluginError) as caught:
        registry.load(Group.EXTRACTORS, "wave-modle")
    assert caught.value.near == ("wave-model",)
    with pytest.raises(UnknownPluginError) as caught:
        registry.load(Group.EXTRACTORS, "WAVE-Model")
    assert caught.value.near == ("wave-model",)
    from serab_registry import _discover

    empty = Registry(hookspecs, find=lambda: ())
    with pytest.raises(UnknownPluginError) as caught:
        empty.load(Group.EXTRACTORS, "opensmile/egemaps")
    assert caught.value.install == ("serab-plugin-opensmile",)
    for name in ("A_b.C", "serab-plugin-byol", "x", "A--b__c..d-_.e", "Zope.Interface"):
        assert _discover.normalise(name) == canonicalize_name(name)


def test_listeners_are_isolated_from_each_other(toys):
    registry = make()
    listeners = registry.listeners()
    assert len(listeners) == 2
    from types import SimpleNamespace

    from serab_toys import recorder

    result = SimpleNamespace(extractor="x", task="t")
    listeners.emit("serab_task_scored", result=result)
    listeners.emit("serab_task_scored", result=result)
    assert recorder.EVENTS == [("scored", "x", "t")] * 2
    assert [str(error) for error in listeners.errors] == [
        "tracker 'grumpy' (from serab-toys 1.2) failed to load: RuntimeError: I do not like scores"
    ]
    assert len(listeners) == 1


def test_a_tracker_that_does_not_import_is_left_out(add_plugin):
    add_plugin("p-t", "serab.trackers", "t", "raise ImportError('no')")
    registry = make()
    assert len(registry.listeners()) == 0
    assert registry.records(Group.TRACKERS)[0].state is PluginState.FAILED


def test_catalog_lists_what_exists():
    entries = read_catalog()
    names = [entry.distribution for entry in entries]
    assert names == sorted(names)
    assert "serab-plugin-opensmile" in names
    assert all(entry.summary and entry.names for entry in entries)
