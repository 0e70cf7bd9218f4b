"""VGGish, YAMNet and TRILL, as TensorFlow Hub has them; TensorFlow runs in a process of its own."""
