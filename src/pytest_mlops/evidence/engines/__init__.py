"""Where the rows of a sample live, and how each place counts them. Only profiles and small samples come back."""
