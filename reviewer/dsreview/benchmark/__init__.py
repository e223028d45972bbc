"""What the reviewer is worth: sets of known bugs replayed through the whole pipeline."""
