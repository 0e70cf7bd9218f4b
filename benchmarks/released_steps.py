"""The steps of the released evaluation, written plainly with current libraries: the peer of `serab eval byol-s/512`.

python benchmarks/released_steps.py WEIGHTS.safetensors FOLDER_OF_EMODB

It decodes one file at a time, resamples it, computes torchaudio's log-mel, runs the encoder clip by clip, normalises
per speaker, and runs GridSearchCV on all cores for each classifier. The released code reads its corpora with
TensorFlow; this script does not.
"""

import sys
import warnings
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import soundfile
import torch
from safetensors.torch import load_file
from serab_plugin_byol.encoders import AudioNTT
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.svm import SVC
from torchaudio.transforms import MelSpectrogram

MEAN, DEVIATION = -2.8677765532835164, 4.3890416494835955  # log-mel statistics of this copy of EmoDB
SPLITS = {"train": ("09", "15", "11", "16", "08", "13"), "validation": ("14", "10"), "test": ("03", "12")}
C = np.logspace(5, -5, 11)
WEIGHTS = ["balanced", None]


def main() -> None:
    warnings.simplefilter("ignore")
    weights, folder = sys.argv[1:]
    model = AudioNTT(512)
    model.load_state_dict(load_file(weights))
    model.eval()
    to_mel = MelSpectrogram(16_000, 1024, 400, 160, 60.0, 7800.0, n_mels=64)
    data_by_split = {}
    for split, speakers in SPLITS.items():
        paths = [p for p in sorted(Path(folder).rglob("*.wav")) if p.name[:2] in speakers]
        rows = []
        for path in paths:
            audio, rate = soundfile.read(path, dtype="float32")
            if rate != 16_000:
                audio = librosa.resample(audio, orig_sr=rate, target_sr=16_000, res_type="soxr_hq")
            mels = (to_mel(torch.from_numpy(audio)[None]) + torch.finfo(torch.float).eps).log()
            with torch.no_grad():
                rows.append(model(((mels - MEAN) / DEVIATION)[None])[0].numpy())
        X = np.array(rows)
        speaker_ids = np.array([p.name[:2] for p in paths])
        for speaker in np.unique(speaker_ids):
            is_speaker = speaker_ids == speaker
            X[is_speaker] -= X[is_speaker].mean(axis=0)
            deviation = X[is_speaker].std(axis=0)
            X[is_speaker] /= np.where(deviation == 0, 1, deviation)
        data_by_split[split] = X, np.array([p.name[5] for p in paths])
    X = np.concatenate([data_by_split["train"][0], data_by_split["validation"][0]])
    y = np.concatenate([data_by_split["train"][1], data_by_split["validation"][1]])
    fold = PredefinedSplit(np.repeat([-1, 0], [len(data_by_split["train"][1]), len(data_by_split["validation"][1])]))
    models = {
        "LDA": (LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"), {"solver": ["lsqr"]}),
        "LR": (LogisticRegression(max_iter=10_000, random_state=42), {"C": C, "class_weight": WEIGHTS}),
        "QDA": (QuadraticDiscriminantAnalysis(), {"reg_param": [0, 0.1, 0.25]}),
        "RF": (
            RandomForestClassifier(random_state=42),
            {"max_depth": range(5, 30, 5), "min_samples_split": [2, 5, 10], "class_weight": WEIGHTS},
        ),
        "SVC": (
            SVC(max_iter=10_000, random_state=42),
            {"kernel": ["rbf", "linear"], "C": C, "class_weight": WEIGHTS},
        ),
    }
    results = {}
    for name, (estimator, grid) in models.items():
        try:
            search = GridSearchCV(estimator, grid, cv=fold, n_jobs=-1).fit(X, y)
        except (ValueError, np.linalg.LinAlgError):
            continue  # current QDA refuses a class with fewer utterances than dimensions
        predicted = search.predict(data_by_split["test"][0])
        results[name] = {
            "test_acc": 100 * np.mean(predicted == data_by_split["test"][1]),
            "test_uar": 100 * recall_score(data_by_split["test"][1], predicted, average="macro"),
        }
    print(pd.DataFrame(results).round(1))


if __name__ == "__main__":
    main()
