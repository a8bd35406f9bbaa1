"""Real data, two models, one gate. See README.md."""
