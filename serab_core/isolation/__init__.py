"""Plugins in processes, and perhaps environments, of their own: for libraries that cannot be loaded side by side.

The child is a module that calls `serve` or `answer` (`server`); `process` starts it. Nothing is pickled, and the child
ends with the process that started it, however that ends. This module imports nothing, so that `serab --help` is fast.
"""
