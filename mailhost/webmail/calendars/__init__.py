"""Invitations: text/calendar in mail. iTIP is RFC 5546, its way by mail RFC 6047.

- `reading`: octets of a stranger to one event, bounded, nothing expanded
- `zones`: local times that name a zone only the file describes
- `wording`: when it is and how it repeats, in words
- `cards`: what a letter shows of it, and what is remembered
- `answering`: the reply that goes to who organises it
"""
