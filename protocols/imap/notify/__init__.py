"""NOTIFY: what a client wants to hear of, and how it is told. RFC 5465."""
