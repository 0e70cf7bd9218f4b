from serab_core import hookimpl

EVENTS = []


@hookimpl
def serab_run_started(run):
    EVENTS.append(("started", run.extractors, run.tasks))


@hookimpl
def serab_task_scored(result):
    EVENTS.append(("scored", result.extractor, result.task))


@hookimpl
def serab_run_finished(run):
    EVENTS.append(("finished", len(run.results), len(run.failures)))
