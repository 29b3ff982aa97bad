"""The addresses of the web: the admin, and the webmail at the root."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("", include("mailhost.doors")),
    path("", include("accounts.urls")),
    path("", include("mailhost.webmail.urls")),
]
