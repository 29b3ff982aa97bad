"""Mail carried into an account and out of it, as files.

- `uploads`: a file that comes in pieces, kept as rows, so that any host reads it
- `spool`: those rows as a file
- `running`: the job that reads it, in slices
- `exports`: folders as mbox, messages and accounts as zip, made while they are sent
"""
