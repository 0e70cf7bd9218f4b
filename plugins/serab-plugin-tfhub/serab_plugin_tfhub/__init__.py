"""VGGish, YAMNet and TRILL from TensorFlow Hub. TensorFlow runs in a process of its own."""
