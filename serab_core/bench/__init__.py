"""`serab bench`: the cost of extractors, as times and as ratios to a reference workload measured at the same time."""
