"""The stages of a run, one small module each."""
