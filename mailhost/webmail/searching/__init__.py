"""The search box: what people write, as the one query tree of mailhost.search.

- `grammar`: text to words, operators, OR, - and parentheses; never fails
- `operators`: what each operator means; one function and one row each
- `asking`: the accounts and folders that are looked at, and the pages of hits
"""
