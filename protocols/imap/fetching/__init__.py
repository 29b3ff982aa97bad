"""FETCH: what can be asked for (items), how it is read (grammar) and told (render)."""
