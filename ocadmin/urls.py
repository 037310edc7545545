"""All addresses. Each room keeps its own."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from ocadmin.api import docs, health, oauth, problems, rest
from ocadmin.api.webhooks import api as webhooks_api
from ocadmin.console import views as console
from ocadmin.numbers import api as numbers_api
from ocadmin.numbers.views.dashboard import dashboard
from ocadmin.tasks import api as tasks_api
from sbc import api as sbc_api

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as allauth documents it

for router in (*numbers_api.ROUTERS, tasks_api.router, webhooks_api.router, sbc_api.router):
    rest.api.add_router("", router)

console_urls = [
    path("", dashboard, name="dashboard"),
    path("me/", console.preferences, name="preferences"),
    path("me/lists/", console.remember, name="remember"),
    path("running/", console.running, name="running"),
]

urlpatterns = [
    path("", include((console_urls, "console"))),
    path("", include("ocadmin.numbers.urls")),
    path("sbcs/", include("sbc.urls")),
    path("tasks/", include("ocadmin.tasks.urls")),
    path("webhooks/", include("ocadmin.api.webhooks.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("api/openapi.json", docs.openapi_json, name="openapi"),
    path("api/docs", docs.docs, name="api-docs"),
    path("api/", problems.not_found),
    path("api/", rest.api.urls),
    path("api/<path:rest>", problems.not_found),
    path("oauth2/token", oauth.token, name="token"),
    path("favicon.ico", console.favicon, name="favicon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
]

handler400 = "ocadmin.console.views.bad_request"
handler403 = "ocadmin.console.views.permission_denied"
handler404 = "ocadmin.console.views.page_not_found"
