"""A channel: a reseller through whom customers come."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ocadmin.access.permissions import Permission
from ocadmin.access.principal import Principal


class ChannelQuerySet(models.QuerySet["Channel"]):
    """Reads of channels."""

    def visible_to(self, principal: Principal, permission: Permission = Permission.VIEW) -> "ChannelQuerySet":
        """The principal's channels; all for the whole system."""
        scope = principal.scope(permission)
        return self if scope.everything else self.filter(pk__in=scope.channels)


class Channel(models.Model):
    """A reseller. `ovoc_channel_id` is its id on the reference platform (0 there means none)."""

    name = models.CharField(_("name"), max_length=150, unique=True)
    ovoc_channel_id = models.PositiveIntegerField(_("channel id"), null=True, blank=True, unique=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
