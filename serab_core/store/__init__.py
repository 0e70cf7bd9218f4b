"""Storage under `$SERAB_HOME`: atomic writes, checks at each read, and no pickles."""
