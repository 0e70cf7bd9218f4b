"""`serab new`: the beginning of a plugin, as a package that passes its checks at once."""
