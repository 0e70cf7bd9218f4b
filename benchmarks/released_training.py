"""The loop of the released pre-training, written plainly with current libraries: the peer of `serab pretrain byol-s`.

python benchmarks/released_training.py FOLDER STEPS BATCH WORKERS

The processes of the loader decode, cut and augment each clip separately. Post-normalisation, the network and the moving
average of the target run batch by batch. The script prints the milliseconds of each step after the first five.
"""

import copy
import random
import sys
import time
from pathlib import Path

import numpy as np
import soundfile
import torch
from serab_plugin_byol.encoders import AudioNTT
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchaudio.transforms import MelSpectrogram

UNIT = 15_200  # samples of a segment: 0.95 s at 16 kHz
EPS = torch.finfo(torch.float32).eps


class Clips(Dataset):
    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.to_mel = MelSpectrogram(16_000, 1024, 400, 160, 60.0, 7800.0, n_mels=64)
        self.memory: list[torch.Tensor] = []
        self.seen, self.mean, self.square = 0, 0.0, 0.0

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        audio = torch.from_numpy(soundfile.read(self.paths[index], dtype="float32")[0])
        if len(audio) < UNIT:
            audio = functional.pad(audio, (0, UNIT - len(audio)))
        start = random.randint(0, len(audio) - UNIT)
        x = (self.to_mel(audio[None, start : start + UNIT]) + EPS).log()
        self.seen += 1
        self.mean += (float(x.mean()) - self.mean) / self.seen
        self.square += (float(((x - self.mean) ** 2).mean()) - self.square) / self.seen
        x = (x - self.mean) / max(self.square, EPS) ** 0.5
        views = self.crop(self.mix(x)), self.crop(self.mix(x))
        self.memory = [*self.memory[-2047:], x]
        return views

    def mix(self, x: torch.Tensor) -> torch.Tensor:
        if not self.memory:
            return x
        fraction, other = 0.4 * random.random(), random.choice(self.memory)
        return torch.log((1 - fraction) * x.exp() + fraction * other.exp() + EPS)

    def crop(self, x: torch.Tensor) -> torch.Tensor:
        _, mels, frames = x.shape
        width = int(1.5 * frames)
        canvas = torch.zeros(1, mels, width)
        left = (width - frames) // 2
        canvas[:, :, left : left + frames] = x
        h = min(mels, int(np.random.uniform(0.6, 1.5) * mels))
        w = min(width, int(np.random.uniform(0.6, 1.5) * frames))
        i, j = random.randint(0, mels - h), random.randint(0, width - w)
        piece = canvas[None, :, i : i + h, j : j + w]
        return functional.interpolate(piece, size=(mels, frames), mode="bicubic", align_corners=True)[0]


def mlp(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, 4096), nn.BatchNorm1d(4096), nn.ReLU(inplace=True), nn.Linear(4096, 256))


def distance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return 2 - 2 * (functional.normalize(x, dim=-1) * functional.normalize(y, dim=-1)).sum(dim=-1)


def main() -> None:
    folder, steps, batch, workers = sys.argv[1], *map(int, sys.argv[2:])
    torch.manual_seed(42)
    paths = sorted(Path(folder).rglob("*.wav"))
    clips = DataLoader(
        Clips(paths), batch, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0
    )
    online = nn.Sequential(AudioNTT(512), mlp(512))
    target = copy.deepcopy(online).requires_grad_(False)
    predictor = mlp(256)
    optimiser = torch.optim.AdamW([*online.parameters(), *predictor.parameters()], lr=3e-4)
    took, begin = [], time.perf_counter()
    while len(took) < steps:
        for views in clips:
            joined = torch.cat(views)
            first, second = (joined - joined.mean()).div(joined.std()).chunk(2)
            p, q = predictor(online(first)), predictor(online(second))
            with torch.no_grad():
                y, z = target(first), target(second)
            loss = (distance(p, z) + distance(q, y)).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                for old, new in zip(target.parameters(), online.parameters(), strict=True):
                    old.copy_(0.99 * old + 0.01 * new)
            took.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            if len(took) == steps:
                break
    print("ms", *(f"{1000 * seconds:.1f}" for seconds in took[5:]))


if __name__ == "__main__":
    main()
