"""The websocket's address."""

from django.urls import path

from mailhost.webmail.consumers import Changes

websocket_urlpatterns = [path("ws/changes/", Changes.as_asgi())]
