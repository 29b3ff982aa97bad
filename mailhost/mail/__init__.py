"""Mail rows. Written only by mailhost.store."""
