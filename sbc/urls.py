"""Addresses of the SBC screens."""

from django.urls import path

from . import views
from .views import by_hand, where

app_name = "sbc"

urlpatterns = [
    path("", views.sbc_list, name="list"),
    path("where/", where.page, name="where"),
    path("<int:pk>/", views.sbc_detail, name="detail"),
    path("<int:pk>/by-hand/", by_hand.page, name="by-hand"),
    path("<int:pk>/by-hand/<uuid:file_id>/file/", by_hand.download, name="by-hand-file"),
    path("<int:pk>/by-hand/<uuid:file_id>/confirm/", by_hand.confirm, name="by-hand-confirm"),
]
