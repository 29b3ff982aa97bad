"""Mail from the world is looked at before it is taken.

- `screen`: the checks of `checks/` on one message, their sum, and what follows from it
- `greylist`, `strangers`: who may bring mail at all, and how much of it
- `networks`: whose mail is not looked at

A check that fails (a server that is down, a fault of its own) is logged and counts
nothing: it never costs a message. docs/checks.md shows how to add one.
"""
