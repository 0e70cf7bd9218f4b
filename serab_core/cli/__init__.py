"""The `serab` command. Everything heavy is imported inside the command that needs it."""

from serab_core.cli.main import main

__all__ = ["main"]
