"""A task, and the outcome of each number in it."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal


class TaskState(models.TextChoices):
    """Where a task stands. The first five are alive: somebody has to go on with them."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    WAITING = "waiting", _("Waiting")
    ASKING = "asking", _("Needs a decision")
    CANCELLING = "cancelling", _("Cancelling")
    SUCCEEDED = "succeeded", _("Succeeded")
    PARTIAL = "partial", _("Partly succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


ALIVE = frozenset({TaskState.QUEUED, TaskState.RUNNING, TaskState.WAITING, TaskState.ASKING, TaskState.CANCELLING})


class TaskQuerySet(models.QuerySet["Task"]):
    """Reads of tasks."""

    def visible_to(self, principal: Principal) -> "TaskQuerySet":
        """Tasks of the principal's customers and channels, and those they started; all for the whole system.

        Of those they started in other places a program that has narrowed itself to a channel sees none.
        """
        scope = principal.scope(Permission.VIEW)
        if scope.everything:
            return self
        if scope.empty:
            return self.none()
        mine = Q(actor_id=principal.user_id) if principal.user_id else Q()
        if principal.narrowed and principal.user_id:
            mine &= Q(channel_ref=None, customer_ref=None)
        return self.filter(mine | Q(channel_ref__in=scope.channels) | Q(customer_ref__in=scope.customers))

    def alive(self) -> "TaskQuerySet":
        """Tasks that are not finished."""
        return self.filter(state__in=ALIVE)

    def due(self) -> "TaskQuerySet":
        """Tasks that a worker should go on with now: nobody holds them and their time has come."""
        now = timezone.now()
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        return self.alive().exclude(state=TaskState.ASKING).filter(free, next_run_at__lte=now)


class Task(models.Model):
    """One piece of work. The row is the truth about it; a Celery message only says "look at task 17"."""

    uid = models.UUIDField(_("correlation id"), default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=32)
    title = models.CharField(_("title"), max_length=200)
    state = models.CharField(_("state"), max_length=12, choices=TaskState.choices, default=TaskState.QUEUED)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    actor_name = models.CharField(_("started by"), max_length=150, blank=True)
    channel = models.CharField(_("through"), max_length=12, choices=Channel.choices)
    ticket = models.CharField(_("ticket"), max_length=64, blank=True)
    customer_ref = models.BigIntegerField(_("customer id"), null=True, blank=True)
    channel_ref = models.BigIntegerField(_("channel id"), null=True, blank=True)
    retry_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="retries")
    unique_key = models.CharField(
        _("unique while alive"), max_length=100, blank=True, help_text=_("Two living tasks never share one.")
    )
    params = models.JSONField(_("parameters"), default=dict, blank=True)
    cursor = models.JSONField(_("cursor"), default=dict, blank=True, help_text=_("Where the next slice goes on."))
    result = models.JSONField(_("result"), default=dict, blank=True)

    step = models.CharField(_("current step"), max_length=200, blank=True)
    message = models.TextField(_("message"), blank=True)
    error_code = models.CharField(_("error code"), max_length=64, blank=True)
    question = models.JSONField(_("question"), default=dict, blank=True, help_text=_("What a person has to decide."))
    total = models.PositiveIntegerField(_("total"), null=True, blank=True)
    done = models.PositiveIntegerField(_("done"), default=0)
    succeeded = models.PositiveIntegerField(_("succeeded"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)

    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    next_run_at = models.DateTimeField(_("next run"), default=timezone.now)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    lease_owner = models.CharField(_("held by"), max_length=100, blank=True)
    lease_until = models.DateTimeField(_("held until"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("failed attempts in a row"), default=0)
    losses = models.PositiveIntegerField(_("workers lost in a row"), default=0)
    slices = models.PositiveIntegerField(_("slices"), default=0)

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = ("-created_at", "-pk")
        indexes = [
            models.Index(fields=["state", "next_run_at"], name="task_due"),
            models.Index(fields=["-created_at"], name="task_created"),
            models.Index(fields=["kind", "-created_at"], name="task_kind"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=TaskState.values), name="task_known_state"),
            models.UniqueConstraint(
                fields=["unique_key"],
                condition=Q(state__in=sorted(ALIVE)) & ~Q(unique_key=""),
                name="task_one_alive_per_key",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(ALIVE), finished_at__isnull=True)
                | (~Q(state__in=sorted(ALIVE)) & Q(finished_at__isnull=False)),
                name="task_finished_iff_not_alive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.pk})"

    @property
    def alive(self) -> bool:
        """Whether somebody still has to go on with it."""
        return self.state in ALIVE

    @property
    def elapsed(self) -> timedelta | None:
        """Time from the first slice to the end, or to now; None before the first slice."""
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    @property
    def rate(self) -> float | None:
        """Numbers per second so far; None before anything is done."""
        elapsed = self.elapsed
        if not elapsed or not self.done or elapsed.total_seconds() <= 0:
            return None
        return self.done / elapsed.total_seconds()

    @property
    def time_left(self) -> timedelta | None:
        """Expected time to the end at the present rate; None where total or rate are not known."""
        rate = self.rate
        if not self.alive or self.total is None or not rate:
            return None
        return timedelta(seconds=max(self.total - self.done, 0) / rate)

    @property
    def percent(self) -> int | None:
        """Share done, 0 to 100; None while the total is not known."""
        if not self.total:
            return None
        return min(100, self.done * 100 // self.total)


class ItemState(models.TextChoices):
    """The outcome of one number of a task."""

    PENDING = "pending", _("Pending")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    UNCHANGED = "unchanged", _("Unchanged")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


ITEM_ALIVE = frozenset({ItemState.PENDING, ItemState.RUNNING})


class TaskItemQuerySet(models.QuerySet["TaskItem"]):
    """Reads of task items."""

    def visible_to(self, principal: Principal) -> "TaskItemQuerySet":
        """Items about the principal's customers and channels; all for the whole system."""
        scope = principal.scope(Permission.VIEW)
        if scope.everything:
            return self
        return self.filter(Q(channel_ref__in=scope.channels) | Q(customer_ref__in=scope.customers))


class TaskItem(models.Model):
    """One number in one task: what became of it and why."""

    # Foreign keys that begin another index have none of their own: each one costs time with every row.
    task = models.ForeignKey(Task, models.CASCADE, related_name="items", verbose_name=_("task"), db_index=False)
    key = models.CharField(_("number"), max_length=16)
    customer_ref = models.BigIntegerField(_("customer id"), null=True, blank=True)
    channel_ref = models.BigIntegerField(_("channel id"), null=True, blank=True)
    state = models.CharField(_("outcome"), max_length=10, choices=ItemState.choices, default=ItemState.PENDING)
    code = models.CharField(_("code"), max_length=64, blank=True)
    message = models.CharField(_("message"), max_length=500, blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True)
    job_ref = models.BigIntegerField(_("Microsoft job"), null=True, blank=True)
    upstream_ids = models.JSONField(_("upstream ids"), default=dict, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    objects = TaskItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("task item")
        verbose_name_plural = _("task items")
        ordering = ("pk",)
        indexes = [
            models.Index(fields=["task", "state", "id"], name="item_task_state"),
            models.Index(fields=["job_ref"], condition=Q(job_ref__isnull=False), name="item_job"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ItemState.values), name="item_known_state"),
            # In this order it finds the tasks of a number as well.
            models.UniqueConstraint(fields=["key", "task"], name="item_once_per_task"),
            models.UniqueConstraint(
                F("key"), condition=Q(state__in=sorted(ITEM_ALIVE)), name="item_one_running_per_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.get_state_display()}"
