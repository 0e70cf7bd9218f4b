from serab_core import ClassifierSpec, PointError, estimator_workspace, hookimpl


class Never:
    def fit(self, X, y):
        raise PointError("it never fits")


@hookimpl
def serab_register_classifiers(register):
    prepare = estimator_workspace(lambda params, seed: Never())
    register(ClassifierSpec(name="never", title="Never", search_space={"a": (1, 2)}, prepare=prepare, order=3))
