"""The certificates of this host: shown by name, loaded again when files change.

Those of an authority (ACME, RFC 8555) are rows: one certificate for each name, its key
sealed. `wanted` says which names there are to be; a job of each (`ordering`) has it
issued and renewed, by whichever host has time (`authority` speaks with the authority);
`files` puts them in place on each host, where `contexts` finds them.
"""
