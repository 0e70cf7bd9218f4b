"""`serab bench`: what an extractor costs, as times and as ratios to a workload of ours measured beside it."""
