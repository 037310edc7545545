"""Addresses of the SBC screens."""

from django.urls import path

from .views import sbcs

app_name = "sbc"

urlpatterns = [
    path("", sbcs.sbc_list, name="list"),
    path("<int:pk>/", sbcs.sbc_detail, name="detail"),
]
