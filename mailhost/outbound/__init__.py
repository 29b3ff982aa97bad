"""Mail to the outside: the queue, its schedule, routing, attempts and reports.

- `models`, `queue`: the rows and the only functions that write them
- `policy`: when to try again, when to give up
- `routing`: which hosts take mail for a domain
- `attempt`: one connection, one message, its recipients
- `dsn`: reports to the sender, as octets (RFC 3464)
- `completion`: what a submitted message lacks
- `runner`: the process that does it

Nothing here delivers: reports are handed to mailhost.delivery by name.
"""
