"""The customers, as every mount looks them up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .exchange import Json, Refusal

if TYPE_CHECKING:
    from .world import World


def known_tenant(world: World, tenant_id: Any) -> Json:
    """The stored customer, or 404."""
    known = world.store.documents("tenant")
    tenant: Json | None = known.get(tenant_id) if isinstance(tenant_id, str) else None
    if tenant is None:
        raise Refusal(404, "TenantNotFound", f"Tenant '{tenant_id}' was not found.")
    return tenant
