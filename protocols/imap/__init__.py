"""IMAP4rev2 (RFC 9051) and rev1 (RFC 3501).

framing     octets -> whole commands, literals beside them      no grammar
parser      a whole command -> a Command value                   no session
commands/   a Command value -> octets to send and effects        no socket
connection  the three above, joined                              no event loop
server      an asyncio.Protocol around a connection              no IMAP

A command is a generator: it yields octets for the client (whole lines) and effects
(`effects.py`): store functions to be run, whose results come back into it.
"""
