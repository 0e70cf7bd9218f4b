"""Shell completion: as bash asks for it, and what is offered."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from serab_core.cli import complete

MAIN = "from serab_core.cli import main; import sys; sys.argv[0] = 'serab'; main()"


def asked(*words: str) -> list[str]:
    """What a shell gets for words, the last of which is being typed."""
    environment = {
        **os.environ, "_SERAB_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(["serab", *words]),
        "COMP_CWORD": str(len(words)),
    }  # fmt: skip
    command = [sys.executable, "-c", MAIN]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout.split()


def test_a_shell_is_offered_names(toys):
    assert "eval" in asked("ev")
    assert asked("eval", "to") == ["toy", "toy-bad"]
    assert {"toy", "toy/wide"} <= set(asked("eval", "toy/w") + asked("eval", "toy"))
    assert asked("eval", "toy", "--tasks", "to") == ["tones"]
    assert asked("eval", "toy", "--protocol", "st") == ["strict"]
    assert "hello" in asked("hel")
    assert "serab-toys" in asked("check", "serab-t")


def test_variants_load_their_plugin_and_lists_complete_their_last_word(toys, prepared_tones):
    assert complete.extractors("toy/") == ["toy/corpus", "toy/wide"]
    assert complete.classifiers("knn,ce") == ["knn,centroid"]
    assert {"x,hums", "x,tones"} <= set(complete.tasks("x,"))
    assert complete.datasets("t") == ["tones"]


@pytest.mark.parametrize("word", ["crash/", "nobody/"])
def test_what_fails_is_offered_nothing(toys, word):
    assert complete.classifiers(word) == []


def test_names_alone_import_nothing_heavy(toys):
    script = (
        "import sys; from serab_core.cli import complete; complete.extractors('t'); complete.anything('s'); "
        "print([m for m in ('numpy', 'torch', 'numba', 'serab_toys.heavy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
