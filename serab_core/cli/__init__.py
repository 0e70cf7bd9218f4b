"""The `serab` command. Each command imports heavy modules only when it runs."""

from serab_core.cli.main import main

__all__ = ["main"]
