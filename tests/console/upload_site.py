"""A site with one form that takes a file, for the tests of uploads."""

import os
import resource
from typing import Any

from django import forms
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from ocadmin.console.uploads import BoundedFileField


class FileForm(forms.Form):
    """One file."""

    file = BoundedFileField()


@csrf_exempt
def receive(request: HttpRequest) -> JsonResponse:
    """What came, what stands on the disk, and how much memory this process has had at most (kB)."""
    form = FileForm(request.POST, request.FILES)
    valid = form.is_valid()
    file: Any = request.FILES.get("file")
    answer = {
        "valid": valid,
        "errors": form.errors.get("file", []),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    if file is not None:
        kept = file.temporary_file_path()
        answer |= {"name": file.name, "size": file.real_size, "too_large": file.too_large}
        answer |= {"kept": os.stat(kept).st_size, "mode": os.stat(kept).st_mode & 0o777, "path": kept}
        answer["content"] = file.read(100).decode("latin-1")
    return JsonResponse(answer)


urlpatterns = [path("", receive)]
