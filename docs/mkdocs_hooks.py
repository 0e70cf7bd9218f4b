"""Puts the reference, which is made of the code itself, among the site's pages."""

import sys
from pathlib import Path

from mkdocs.structure.files import File


def on_files(files, config):
    """Adds the generated pages."""
    sys.path.insert(0, str(Path(__file__).parent))  # mkdocs takes a hook's own additions back after loading it
    from reference_pages import pages

    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files
