"""Adding and changing an SBC, and pinning its certificate: for who may change SBCs and their logins."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest
from sbc import records
from sbc.examination import presented_by
from sbc.forms import SBCForm
from sbc.models import SBC

GROUPS = (
    (gettext_lazy("SBC"), ("name", "fqdn", "ip_address", "note")),
    (gettext_lazy("Access"), ("rest_url", "username", "password", "clear_password", "ca_bundle", "pinned_certificate")),
    (gettext_lazy("Dial plan"), ("dial_plan", "prefix_hash", "max_rules", "write_strategy")),
)


def find(request: SignedInRequest, pk: int, permission: Permission) -> SBC:
    """The SBC for who may do this with SBCs. Raises Http404 for who may not see it, PermissionDenied for others."""
    sbc = get_object_or_404(SBC.objects.visible_to(request.principal), pk=pk)
    if not request.principal.can_everywhere(permission):
        raise PermissionDenied(_("Your role does not include “%(what)s”.") % {"what": permission.label})
    return sbc


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: SignedInRequest) -> HttpResponse:
    """A new SBC."""
    if not request.principal.can_everywhere(Permission.MANAGE_SBC):
        raise PermissionDenied(_("Your role does not include “%(what)s”.") % {"what": Permission.MANAGE_SBC.label})
    return _form(request, SBC())


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """One SBC, to change."""
    return _form(request, find(request, pk, Permission.MANAGE_SBC))


def _form(request: SignedInRequest, sbc: SBC) -> HttpResponse:
    is_new = sbc.pk is None
    name = sbc.name  # a form that is refused leaves its words in the instance
    form = SBCForm(request.POST or None, instance=sbc)
    if request.method == "POST" and form.is_valid():
        follows = records.save(form, by=request.principal, channel=Channel.WEB)
        messages.success(request, _("%(sbc)s is saved.") % {"sbc": sbc})
        for sentence in follows:
            messages.warning(request, sentence)
        return redirect("sbc:detail", sbc.pk)
    if is_new or not sbc.sealed_password:
        del form.fields["clear_password"]
    groups = [(title, [form[one] for one in names if one in form.fields]) for title, names in GROUPS]
    context = {"form": form, "groups": groups, "sbc": sbc, "is_new": is_new, "name": name}
    return render(request, "sbc/form.html", context)


@login_required
@require_POST
def pin(request: SignedInRequest, pk: int) -> HttpResponse:
    """Accept the certificate that was shown, and no other, from now on.

    It is fetched again, so that nothing is pinned that this device does not present.
    """
    sbc = find(request, pk, Permission.MANAGE_SBC)
    certificate = presented_by(sbc)
    if certificate is None:
        messages.error(request, _("The SBC presents no certificate at the moment. Test the connection again."))
    elif certificate.fingerprint != request.POST.get("fingerprint"):
        words = _("Nothing was pinned: by now it presents another certificate. Test the connection, and compare.")
        messages.error(request, words)
    else:
        records.pin(sbc, certificate.pem, by=request.principal, channel=Channel.WEB)
        messages.success(request, _("The certificate is pinned. Test the connection to see that the login works."))
    return redirect("sbc:detail", sbc.pk)
