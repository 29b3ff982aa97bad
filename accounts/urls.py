"""The addresses of what people do about their own account."""

from django.urls import path

from accounts import rowconverter, views  # noqa: F401 - registers <row:…>

urlpatterns = [
    path("account/", views.account, name="account"),
    path("account/aliases/", views.add_alias, name="add_alias"),
    path("account/aliases/<row:pk>/drop/", views.drop_alias, name="drop_alias"),
    path(
        "account/programs/<str:client_id>/drop/",
        views.drop_program,
        name="drop_program",
    ),
    path("welcome/<uidb64>/<token>/", views.Welcome.as_view(), name="welcome"),
]
