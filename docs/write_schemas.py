"""Write the JSON Schemas of all documents into `docs/schemas`: `python docs/write_schemas.py`.

A diff of a schema means that a document has changed. Raise its number if the change would mislead a reader.
"""

from pathlib import Path

from serab_core.documents import names, schema_file, schema_text

FOLDER = Path(__file__).parent / "schemas"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name in names():
        (FOLDER / schema_file(name)).write_text(schema_text(name) + "\n", encoding="utf-8")
