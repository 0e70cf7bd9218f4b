"""Citations in BibTeX."""

SERAB = """@inproceedings{scheidwasser2022serab,
  title     = {{SERAB}: A Multi-Lingual Benchmark for Speech Emotion Recognition},
  author    = {Scheidwasser-Clow, Neil and Kegler, Mikolaj and Beckmann, Pierre and Cernak, Milos},
  booktitle = {IEEE International Conference on Acoustics, Speech and Signal Processing (ICASSP)},
  pages     = {7697--7701},
  year      = {2022}
}"""
"""The paper of the benchmark, for baselines without a paper of their own."""
MFCC = """@article{davis1980comparison,
  title   = {Comparison of parametric representations for monosyllabic word recognition in continuously spoken
             sentences},
  author  = {Davis, Steven and Mermelstein, Paul},
  journal = {IEEE Transactions on Acoustics, Speech, and Signal Processing},
  volume  = {28},
  number  = {4},
  pages   = {357--366},
  year    = {1980}
}"""
