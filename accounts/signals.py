"""What accounts tells the layers above, which it may not import."""

from django.dispatch import Signal

# A personal or shared account came to be; sent inside the transaction.
# Arguments: account (accounts.models.Account).
account_created = Signal()

# A password, app password or user stopped being valid: open sessions must end.
# Sent on commit. Arguments: user_id (int), app_password_id (int | None = all).
credential_revoked = Signal()
