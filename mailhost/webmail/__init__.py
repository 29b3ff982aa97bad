"""The browser's face: server-rendered pages over the store. Nothing imports it.

- `door`: which account, folder and message a user may see; one answer for absent and
  forbidden
- `letters`: a message as pages show it; `finding`: search
- `sanitise`: what of a stranger's HTML is shown; `policy`: the headers that hold even
  where the sanitiser fails
- `quoting`, `composing`, `sending`: writing mail
- `views`: one file per thing a browser asks for; `consumers`: live updates
"""
