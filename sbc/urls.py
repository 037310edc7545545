"""Addresses of the SBC screens."""

from django.urls import path

from .views import by_hand, editing, sbcs, testing, where, writing

app_name = "sbc"

urlpatterns = [
    path("", sbcs.sbc_list, name="list"),
    path("add/", editing.add, name="add"),
    path("where/", where.page, name="where"),
    path("<int:pk>/", sbcs.sbc_detail, name="detail"),
    path("<int:pk>/edit/", editing.edit, name="edit"),
    path("<int:pk>/pin/", editing.pin, name="pin"),
    path("<int:pk>/test/", testing.test, name="test"),
    path("<int:pk>/write/", writing.write, name="write"),
    path("<int:pk>/save/", writing.save, name="save"),
    path("<int:pk>/by-hand/", by_hand.page, name="by-hand"),
    path("<int:pk>/by-hand/<uuid:file_id>/file/", by_hand.download, name="by-hand-file"),
    path("<int:pk>/by-hand/<uuid:file_id>/confirm/", by_hand.confirm, name="by-hand-confirm"),
]
