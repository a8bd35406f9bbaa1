"""The champion: what was promoted, what it was judged by, and where both are kept."""
