"""The admin site with mailhost's name on it."""

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class MailhostAdminSite(AdminSite):
    """The site at /admin/; its login is the same door as everybody's."""

    site_header = _("mailhost administration")
    site_title = _("mailhost")
    index_title = _("What this host holds")
