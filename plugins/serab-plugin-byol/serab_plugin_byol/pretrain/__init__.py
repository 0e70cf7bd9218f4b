"""Pre-training of BYOL encoders: packed audio, augmentations on the device, the learner, and its monitoring."""
