"""Who may come in: domains, users, accounts, addresses, and the one password check."""
