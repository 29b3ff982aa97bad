"""The accounts app."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete, post_save
from typing_extensions import override


class AccountsConfig(AppConfig):
    """Users, accounts, addresses."""

    name = "accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    @override
    def ready(self) -> None:
        from accounts import locales, newcomers, revocation

        user, account = self.get_model("User"), self.get_model("Account")
        app_password = self.get_model("AppPassword")
        for signal, receiver, sender in (
            (post_save, newcomers.user_saved, user),
            (post_delete, revocation.user_deleted, user),
            (post_save, revocation.account_saved, account),
            (post_delete, revocation.app_password_deleted, app_password),
            (post_delete, revocation.access_token_deleted, "allauth_idp_oidc.Token"),
        ):
            signal.connect(receiver, sender, dispatch_uid=receiver.__qualname__)
        user_logged_in.connect(locales.remember, dispatch_uid="accounts.locales")
