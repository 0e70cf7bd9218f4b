"""`serab new`: a new plugin package that passes its checks from the start."""
