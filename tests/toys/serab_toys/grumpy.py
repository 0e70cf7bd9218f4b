from serab_core import hookimpl


@hookimpl
def serab_task_scored(result):
    raise RuntimeError("I do not like scores")
