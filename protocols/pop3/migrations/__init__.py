"""Migrations of pop3."""
