"""Execution of a plan: which jobs are needed, which are already done, and the results."""
