"""Addresses of the SBC screens."""

from django.urls import path

from .views import editing, sbcs, testing, writing

app_name = "sbc"

urlpatterns = [
    path("", sbcs.sbc_list, name="list"),
    path("add/", editing.add, name="add"),
    path("<int:pk>/", sbcs.sbc_detail, name="detail"),
    path("<int:pk>/edit/", editing.edit, name="edit"),
    path("<int:pk>/pin/", editing.pin, name="pin"),
    path("<int:pk>/test/", testing.test, name="test"),
    path("<int:pk>/write/", writing.write, name="write"),
    path("<int:pk>/save/", writing.save, name="save"),
]
