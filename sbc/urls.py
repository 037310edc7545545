"""Addresses of the SBC screens."""

from django.urls import path

from . import views

app_name = "sbc"

urlpatterns = [
    path("", views.sbc_list, name="list"),
    path("<int:pk>/", views.sbc_detail, name="detail"),
]
