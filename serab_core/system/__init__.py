"""The machine and this process: cores, memory, locks, timing, offline mode, session, and ownership of files."""
