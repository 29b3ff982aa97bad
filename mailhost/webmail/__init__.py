"""The browser's face: server-rendered pages over the store. Nothing imports it.

- `door`: which account, folder and message a user may see; one answer for absent and
  forbidden
- `rows`: lists, by conversation or flat; `reading`: a conversation in the reader;
  `letters`: what is in a message
- `picking`, `acting`, `undoing`: which messages are meant, what is done, and undone
- `searching`: the search box
- `sanitise`: what of a stranger's HTML is shown; `policy`: the headers that hold even
  where the sanitiser fails
- `quoting`, `composing`, `sending`: writing mail
- `views`: one file per thing a browser asks for; `consumers`: live updates
"""
