"""Write the JSON Schemas of all documents into `docs/schemas`: `python docs/write_schemas.py`.

The documents are those of the core and of the plugins of this repository, which have to be installed.

A diff of a schema means that a document has changed. Raise its number if the change would mislead a reader.
"""

from importlib import import_module
from pathlib import Path

from serab_core.documents import DOCUMENTS, documents_in, names, schema_file, schema_text

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "schemas"


def schemas() -> dict[str, str]:
    """Return the text of every JSON Schema by the name of its document."""
    texts = {name: schema_text(name) for name in names()}
    for path in sorted(ROOT.glob("plugins/*/serab_plugin_*/documents.py")):
        documents = documents_in(import_module(f"{path.parent.name}.documents"))
        if repeated := documents.keys() & DOCUMENTS.keys():
            raise ValueError(f"{path}: the core has documents of these names: {', '.join(repeated)}")
        texts |= {name: schema_text(name, documents) for name in documents}
    return texts


if __name__ == "__main__":
    texts = schemas()
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name, text in texts.items():
        (FOLDER / schema_file(name)).write_text(text + "\n", encoding="utf-8")
