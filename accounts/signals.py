"""What accounts tells the layers above, which it may not import."""

from django.dispatch import Signal

# A personal or shared account came to be; sent inside the transaction.
# Arguments: account (accounts.models.Account).
account_created = Signal()

# A password, app password, token or user stopped being valid: open sessions must end.
# Sent on commit, in the process that did it; the others find a row of Revocation.
# Arguments: user_id (int), app_password_id, access_token_id (int | None; both None:
# everything of this user).
credential_revoked = Signal()
