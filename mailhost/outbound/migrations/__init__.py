"""Migrations of outbound."""
