"""Files to waveforms: decoding with soundfile, mono by averaging, resampling with soxr."""
