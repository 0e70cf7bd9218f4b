from serab_core import ClassifierSpec, hookimpl


def prepare(train, validation, *, seed):
    raise AttributeError("a bug in the plugin")


@hookimpl
def serab_register_classifiers(register):
    register(ClassifierSpec(name="crash", title="Crash", search_space={"a": (1,)}, prepare=prepare, order=4))
