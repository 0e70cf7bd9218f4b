"""A plan to results: what to do, what is already done, and on which executor."""
