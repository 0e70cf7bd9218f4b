import numpy as np

from serab_core import ClassifierSpec, Exported, PointError, estimator_workspace, hookimpl

FITS = []


class Centroid:
    def __init__(self, shrink):
        self.shrink = shrink

    def fit(self, X, y):
        FITS.append(self.shrink)
        if self.shrink > 1:
            raise PointError("cannot shrink beyond the mean")
        self.labels = np.unique(y)
        centre = X.mean(axis=0)
        self.centroids = np.stack(
            [X[y == k].mean(axis=0) * (1 - self.shrink) + centre * self.shrink for k in self.labels]
        )
        return self

    def predict(self, X):
        distances = ((X[:, None] - self.centroids[None]) ** 2).sum(axis=2)
        return self.labels[np.argmin(distances, axis=1)]

    def export(self):
        return Exported({"labels": self.labels, "centroids": self.centroids}, {"shrink": self.shrink})


def rebuild(exported):
    made = Centroid(exported.settings["shrink"])
    made.labels, made.centroids = exported.arrays["labels"], exported.arrays["centroids"]
    return made


@hookimpl
def serab_register_classifiers(register):
    register(
        ClassifierSpec(
            name="centroid",
            title="Centroid",
            search_space={"shrink": (0.0, 0.5, 2.0)},
            prepare=estimator_workspace(lambda params, seed: Centroid(params["shrink"])),
            rebuild=rebuild,
            order=1,
            libraries=("numpy",),
        )
    )
