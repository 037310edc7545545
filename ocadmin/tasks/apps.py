"""Tasks: the work that runs in the background, and the engine that runs it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TasksConfig(AppConfig):
    """Registers the app `tasks`."""

    name = "ocadmin.tasks"
    verbose_name = _("Tasks")

    def ready(self) -> None:
        """Configure Celery in every process, so that a nudge goes to the broker of the settings."""
        import ocadmin.celery  # noqa: F401
        from ocadmin.access.audit import name_actions

        name_actions(
            {
                "task.start": _("Task started"),
                "task.cancel": _("Task cancelled"),
                "task.answer": _("Question answered"),
            }
        )
