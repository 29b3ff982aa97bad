"""What DNS says about a message and who hands it in. Values in, values out; no rows.

- `resolver`: the one resolver of a process, with a budget for each message
- `spf`, `signatures` (DKIM), `arc`, `dmarc`, `iprev`: one method each
- `authentication`: all of them on one message
- `header`: Authentication-Results, written and read
"""
