"""What a result is, and how results become one decision. Standard library only."""
