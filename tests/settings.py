"""Settings of the tests: the product's own, in a data directory that is thrown away, without a broker."""

import os
import tempfile

if "OCADMIN_DATA_DIR" not in os.environ:
    _data = tempfile.TemporaryDirectory(prefix="ocadmin-tests-")  # goes with the process
    os.environ["OCADMIN_DATA_DIR"] = _data.name
os.environ.setdefault("CELERY_BROKER_URL", "memory://")
os.environ.setdefault("OCADMIN_RELEASE_GRACE_SECONDS", "0")

from ocadmin.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
ACCOUNT_RATE_LIMITS = False
