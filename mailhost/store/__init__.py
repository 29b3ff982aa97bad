"""The mail store: the only writer of mail rows, and the readers that are hot.

Callers hand in plain values and get plain values back, never rows. Writing functions
run inside a transaction that `gate` opened, with the accounts they name locked.
"""
