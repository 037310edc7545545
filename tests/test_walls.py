"""The walls of the house: who may import whom, how big a thing may get, what no file may say."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocadmin.environment import BASE_DIR

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
ROOMS = ("numbers", "sbc", "ocadmin", "tests")
# Rooms of the house from top to bottom; each may use those below it. Files that wire the house may use all.
FLOORS = ("numbers", "sbc", "shared")
SHARED = ("tasks", "console", "access", "api")
# Host names of public package registries, put together so that this file does not name one.
REGISTRIES = re.compile(
    "|".join(("pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.(org|com)", r"cr" + r"ates\.io"))
)


def python_files() -> list[Path]:
    found = [path for room in ROOMS for path in (BASE_DIR / room).rglob("*.py")]
    return sorted([BASE_DIR / "manage.py", *found])


def name_of(path: Path) -> str:
    return path.relative_to(BASE_DIR).as_posix()


def written_by_hand(path: Path) -> bool:
    return not {"migrations", "tests"} & set(path.relative_to(BASE_DIR).parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every import of a file, those inside functions included."""
    package = list(path.relative_to(BASE_DIR).with_suffix("").parts)[:-1]
    for node in ast.walk(ast.parse(path.read_text(), name_of(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{stem}.{alias.name}") for alias in node.names)


def floor_of(module: str) -> str:
    """The floor that a module lives on, empty for wiring and for what is not ours."""
    parts = module.removeprefix("ocadmin.numbers").split(".") if module.startswith("ocadmin.numbers") else None
    if parts is not None or module.split(".")[0] == "numbers":
        return "numbers"
    names = module.split(".")
    if names[0] == "sbc":
        return "sbc"
    return "shared" if names[0] == "ocadmin" and len(names) > 1 and names[1] in SHARED else ""


def test_imports_run_one_way() -> None:
    wrong = []
    for path in python_files():
        own = floor_of(name_of(path).removesuffix(".py").replace("/", "."))
        if not own or not written_by_hand(path):
            continue
        above = FLOORS[: FLOORS.index(own)]
        wrong += [f"{name_of(path)}:{line}: {module}" for line, module in imports(path) if floor_of(module) in above]
    assert wrong == []


def test_the_sandbox_stands_alone() -> None:
    """It plays Microsoft, so it must not share a line, and so an error, with what it is to test."""
    wrong = []
    for path in python_files():
        name = name_of(path)
        inside = name.startswith("ocadmin/sandbox/")
        for line, module in imports(path):
            ours = module.split(".")[0] in ROOMS
            sandbox = module.startswith("ocadmin.sandbox")
            if (inside and ours and not sandbox) or (sandbox and not inside and not name.startswith("tests/sandbox/")):
                wrong.append(f"{name}:{line}: {module}")
    assert wrong == []


def test_the_app_is_imported_as_ocadmin_numbers() -> None:
    """`numbers` is the standard library's; the relative imports inside the app are resolved against its folder."""
    wrong = []
    for path in python_files():
        inside = name_of(path).startswith("numbers/")
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            wrong += [f"{name_of(path)}: {one}" for one in names if one.startswith("numbers.")]
            if inside:
                wrong += [f"{name_of(path)}: {one}" for one in names if one.startswith("ocadmin.numbers")]
    assert [one for one in wrong if not one.startswith("numbers/migrations/")] == []


def test_the_standard_library_keeps_its_numbers() -> None:
    assert not (BASE_DIR / "numbers" / "__init__.py").exists()
    code = "import numbers, decimal, fractions; print(numbers.__file__)"
    answer = subprocess.run([sys.executable, "-c", code], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    assert not answer.stdout.startswith(str(BASE_DIR))


def test_no_file_is_too_long() -> None:
    sizes = {name_of(path): len(path.read_text().splitlines()) for path in python_files() if written_by_hand(path)}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    long = {}
    for path in filter(written_by_hand, python_files()):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > LONGEST_FUNCTION:
                    long[f"{name_of(path)}: {node.name}"] = size
    assert long == {}


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_with_hashes(lock: str) -> None:
    text = (BASE_DIR / lock).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) > 20
    assert [line for line in lines if not re.match(r"^[\w.\[\],-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


def test_the_development_lock_contains_the_other() -> None:
    """So that `make run` after `make test` has nothing to install."""
    held = [set(re.findall(r"^([\w.\[\]-]+==\S+)", (BASE_DIR / f).read_text(), re.M)) for f in LOCKS]
    assert held[0] - held[1] == set()


LOCKS = ("requirements.txt", "requirements-dev.txt")


def tracked_files() -> list[Path]:
    """What git holds or would take in; every file of the house where this is no checkout."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=False)
    names = answer.stdout.split("\0") if answer.returncode == 0 else [name_of(path) for path in python_files()]
    return [BASE_DIR / name for name in names if name and (BASE_DIR / name).is_file()]


def test_no_file_names_a_registry_or_a_machine() -> None:
    wrong = []
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if REGISTRIES.search(text) or str(BASE_DIR) + "/" in text:
            wrong.append(name_of(path))
    assert wrong == []


def test_nothing_is_left_for_later() -> None:
    words = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")))
    wrong = [
        f"{name_of(path)}:{number}"
        for path in python_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if words.search(line)
    ]
    assert wrong == []
