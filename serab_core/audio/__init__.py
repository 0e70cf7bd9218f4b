"""Files to waveforms, by soundfile and soxr; waveforms to log-mels, by kernels of our own (`mel`)."""
