"""SEARCH: keys as values, their grammar, and how they are evaluated."""
