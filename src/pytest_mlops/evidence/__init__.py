"""What is judged: evaluations, metrics, fingerprints, and the libraries that frames come from."""
