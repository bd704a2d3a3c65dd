"""Which parameters of a study matter, and which cannot be told apart from noise."""
