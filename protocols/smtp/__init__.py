"""SMTP for the world (MX), for our users (submission), and LMTP.

Values: `data`, `paths`, `parameters`, `replies`, `trace`. Shell: `connection` (aiosmtpd
without its known faults), `transaction` (MAIL, RCPT, DATA), `login` (AUTH), and the
three services `mx`, `submission`, `lmtp`; `server` makes them.
"""
