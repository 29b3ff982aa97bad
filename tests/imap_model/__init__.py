"""Several clients at one account, at random; what they know is held against the rows.

A run is a list of steps that follows from a seed. Each step makes its own dice, so a
run with some steps left out is a run too: a failure is told by the shortest one found.

letters     what is appended
oracle      what all clients together have heard and may not be contradicted
actions     what a client may ask, chosen by what it knows
world       the clients, the steps, and the checkpoints
truth       the rows
run         a run, and what is told of one that fails
"""
