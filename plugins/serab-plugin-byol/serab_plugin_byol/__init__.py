"""BYOL-A (arXiv:2103.06695), BYOL-S and BYOL-S/CvT (arXiv:2110.03414): encoders of log-mels, and their pre-training."""
