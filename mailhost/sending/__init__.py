"""What users send: how much a day, and what waits for its time.

- `models`: a user's limits and counters, messages to be sent later
- `limits`: counts what is sent, holds who sends too much, lets them go on

The functions that send are above, in mailhost.delivery.
"""
