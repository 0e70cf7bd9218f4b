"""A hook of mkdocs that adds the reference pages, which are generated from the code, to the site."""

import sys
from pathlib import Path

from mkdocs.structure.files import File


def on_files(files, config):
    """Add the generated pages."""
    sys.path.insert(0, str(Path(__file__).parent))  # mkdocs restores sys.path after loading a hook
    from reference_pages import pages

    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files
