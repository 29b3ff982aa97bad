"""Octets to structure and back: messages themselves, no database, no socket.

Nothing here raises on any octets, and every reader takes linear time; the limits stand
in `limits`. What arrived is never rewritten: a part is two byte ranges.

- `message`: `parse()`, all that is stored of a message; `part`: one node of its tree
- `tree`: the walk that finds the parts and renders BODYSTRUCTURE on the way
- `headers`, `words`, `parameters`, `addresses`, `dates`, `subjects`: the readers
- `imap`: strings, ENVELOPE and BODYSTRUCTURE pieces as IMAP octets
- `charsets`, `decode`, `html`: from octets to text a person can read
- `preview`, `search_text`: what of that text is kept, and what is searched
- `structure`: the part tree as JSON
- `build`, `compose`, `flowed`: writing messages
"""
