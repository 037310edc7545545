"""Addresses of the task monitor."""

from django.urls import path

from . import views

app_name = "tasks"

urlpatterns = [
    path("", views.task_list, name="list"),
    path("<int:pk>/", views.task_detail, name="detail"),
    path("<int:pk>/outcomes.csv", views.task_outcomes, name="outcomes"),
    path("<int:pk>/live/", views.task_live, name="live"),
    path("<int:pk>/cancel/", views.task_cancel, name="cancel"),
    path("<int:pk>/answer/", views.task_answer, name="answer"),
    path("<int:pk>/retry/", views.task_retry, name="retry"),
]
