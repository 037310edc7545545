"""The console's addresses and those that api.py compares them with."""

from django.urls import path

from ocadmin.urls import urlpatterns as console

from . import api_bare, api_drf

urlpatterns = [
    path("bare", api_bare.page),
    path("drf", api_drf.NumberList.as_view()),
    *console,
]
