"""The addresses of the webmail; all but the login need a session."""

from django.urls import path

from accounts import rowconverter  # noqa: F401 - registers <row:…>
from mailhost.webmail.views import (
    acting,
    compose,
    devices,
    folders,
    inviting,
    letter,
    listing,
    locale,
    login,
    message,
    page,
    parts,
    saving,
    settings,
    suggesting,
)

app_name = "webmail"
FOLDER = "mail/<row:account_id>/<row:folder_id>/"
MESSAGE = FOLDER + "<row:uid>/"

urlpatterns = [
    path("logout/", login.Logout.as_view(), name="logout"),
    path("", listing.home, name="home"),
    path(FOLDER, listing.folder, name="folder"),
    path("search/", listing.search, name="search"),
    path("search/suggest/", suggesting.suggest, name="suggest"),
    path("search/save/", saving.save, name="save"),
    path("search/<row:number>/forget/", saving.forget, name="forget"),
    path("mode/", listing.mode, name="mode"),
    path("do/", acting.act, name="act"),
    path("undo/<row:number>/", acting.undo, name="undo"),
    path(MESSAGE, message.show, name="message"),
    path(MESSAGE + "letter/", letter.show, name="letter"),
    path(MESSAGE + "pictures/", letter.trust, name="trust"),
    path(MESSAGE + "unsubscribe/", letter.unsubscribe, name="unsubscribe"),
    path(MESSAGE + "invitation/", inviting.answer, name="invitation"),
    path(MESSAGE + "block/", letter.block, name="block"),
    path(MESSAGE + "print/", letter.printed, name="print"),
    path(MESSAGE + "preview/<str:section>/", letter.preview, name="preview"),
    path(MESSAGE + "zip/", parts.archive, name="zip"),
    path(MESSAGE + "source/", parts.source, name="source"),
    path(MESSAGE + "html/<str:section>/", parts.html, name="html"),
    path(MESSAGE + "part/<str:section>/<str:name>", parts.download, name="part"),
    path("inline/<str:token>/", parts.inline, name="inline"),
    path("picture/<str:token>/", parts.picture, name="picture"),
    path("compose/", compose.compose, name="compose"),
    path("unsend/<row:number>/", compose.unsend, name="unsend"),
    path("waiting/", compose.waiting, name="waiting"),
    path("people/", compose.complete, name="people"),
    path("settings/", settings.show, name="settings"),
    path("settings/display/", settings.display, name="display"),
    path("settings/language/", locale.keep, name="locale"),
    path("settings/zone/", locale.propose, name="zone"),
    path("settings/labels/<row:account_id>/", settings.label, name="label"),
    path("settings/blocked/<row:account_id>/", settings.unblock, name="unblock"),
    path("settings/devices/", devices.device, name="device"),
    path("settings/devices/profile/", devices.profile, name="profile"),
    path("settings/devices/<row:number>/revoke/", devices.revoke, name="revoke"),
    path("settings/contacts/", settings.contact, name="contact"),
    path("settings/contacts/import/", settings.import_cards, name="import_cards"),
    path("settings/contacts/export/", settings.export_cards, name="export_cards"),
    path("keyboard/", page.keyboard, name="keyboard"),
    path("manifest.webmanifest", page.manifest, name="manifest"),
    path("folders/", folders.pane, name="folders"),
    path("folders/manage/", folders.manage, name="manage"),
    path("folders/<row:account_id>/new/", folders.create, name="folder_create"),
    path(
        "folders/<row:account_id>/<row:folder_id>/rename/",
        folders.rename,
        name="folder_rename",
    ),
    path(
        "folders/<row:account_id>/<row:folder_id>/delete/",
        folders.delete,
        name="folder_delete",
    ),
]
