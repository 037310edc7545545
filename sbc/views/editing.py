"""Adding and changing an SBC, and pinning its certificate: for who may change SBCs and their logins."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from ocadmin.access.audit import Channel
from ocadmin.access.permissions import Permission
from ocadmin.access.request import SignedInRequest
from sbc import records, rights
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
    rights.demand(request.principal, permission)
    return sbc


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: SignedInRequest) -> HttpResponse:
    """A new SBC."""
    rights.demand(request.principal, Permission.MANAGE_SBC)
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
    """Accept the certificate that was shown, and no other, from now on."""
    sbc = find(request, pk, Permission.MANAGE_SBC)
    try:
        records.pin_presented(sbc, request.POST.get("fingerprint", ""), by=request.principal, channel=Channel.WEB)
    except records.NotPinned as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("The certificate is pinned. Test the connection to see that the login works."))
    return redirect("sbc:detail", sbc.pk)
