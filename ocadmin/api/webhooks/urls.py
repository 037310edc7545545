"""Addresses of the webhook screens."""

from django.urls import path

from . import views

app_name = "webhooks"

urlpatterns = [
    path("", views.webhook_list, name="list"),
    path("new/", views.webhook_new, name="new"),
    path("<int:pk>/", views.webhook_detail, name="detail"),
    path("<int:pk>/edit/", views.webhook_edit, name="edit"),
    path("<int:pk>/enable/", views.webhook_enable, name="enable"),
    path("<int:pk>/disable/", views.webhook_disable, name="disable"),
    path("<int:pk>/secret/", views.webhook_secret, name="secret"),
    path("<int:pk>/test/", views.webhook_test, name="test"),
    path("<int:pk>/delete/", views.webhook_delete, name="delete"),
    path("<int:pk>/deliveries/<int:delivery>/", views.delivery_detail, name="delivery"),
    path("<int:pk>/deliveries/<int:delivery>/again/", views.delivery_again, name="again"),
]
