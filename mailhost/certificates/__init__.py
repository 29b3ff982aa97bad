"""The certificates of this host: shown by name, loaded again when files change."""
