"""Engines: run the jobs of a run in this process, in worker processes, or on a Dask cluster."""
