"""Decode files to waveforms with soundfile and soxr; compute log-mels with the kernels in `mel`."""
