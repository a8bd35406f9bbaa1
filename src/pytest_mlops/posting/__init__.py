"""Where the verdict is told to people elsewhere: a comment on the pull request, an issue. Knows no pytest."""
