"""Where the jobs of a run are done: in this process, in worker processes, or on a Dask cluster."""
