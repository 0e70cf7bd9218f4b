"""Code in processes of its own: for libraries that do not bear each other, or take the host down.

The child is a module that calls `serve` or `answer`. Nothing is pickled, and the child ends with whoever started it,
however that ends.
"""

from serab_core.isolation.messages import DiedError, RemoteError
from serab_core.isolation.process import Process
from serab_core.isolation.server import answer, serve

__all__ = ["DiedError", "Process", "RemoteError", "answer", "serve"]
