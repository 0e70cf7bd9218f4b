"""What is kept on disk under `$SERAB_HOME`: written whole or not at all, checked when read, never a pickle."""
