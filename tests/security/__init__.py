"""Hostile mail in a real browser: nothing runs, nothing is asked of anybody."""
