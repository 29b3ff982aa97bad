"""Commands of outgoing mail."""
