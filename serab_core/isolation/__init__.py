"""Runs code in separate processes: for libraries that conflict with each other, or that may crash their process.

The child is a module that calls `serve` or `answer`. Nothing is pickled. The child exits when its parent exits, even
if the parent is killed.
"""

from serab_core.isolation.messages import DiedError, RemoteError
from serab_core.isolation.process import Process
from serab_core.isolation.server import answer, serve

__all__ = ["DiedError", "Process", "RemoteError", "answer", "serve"]
