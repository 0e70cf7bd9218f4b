"""The notebook of the documentation runs, and its outputs are those that it shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "first-score.ipynb"
pytestmark = pytest.mark.standard


def texts(notebook) -> list[list[str]]:
    """The texts that each cell's outputs have; numbers, which other processors may round otherwise, are left out."""
    shown = []
    for cell in notebook["cells"]:
        found = [own.get("text") or own["data"].get("text/plain", "") for own in cell.get("outputs", ())]
        plain = [re.sub(r"\d+(\.\d+)?( min| s)?", "N", "".join(text)) for text in found]
        shown.append([" ".join(re.sub(r"(LDA|LR|QDA|RF|SVC)~? .*", "CLASSIFIER", text).split()) for text in plain])
    return shown


@pytest.mark.filterwarnings("default")  # those of Jupyter itself
def test_the_notebook(monkeypatch, tmp_path):
    """It runs in a new home; a stage has one line, which changes in place, and nothing goes to stderr."""
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    assert texts(notebook) == texts(json.loads(NOTEBOOK.read_text()))
    for cell in notebook["cells"]:
        outputs = cell.get("outputs", ())
        assert not [own for own in outputs if own.get("name") == "stderr"]
        assert sum(own["output_type"] == "display_data" for own in outputs) <= 6
        assert sum(own["output_type"] == "execute_result" for own in outputs) <= 1
