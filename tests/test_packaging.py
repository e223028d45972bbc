"""What a user installs is what stands here."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINKED = {
    "prompts": ROOT / "prompts",
    "hooks": ROOT / "hooks",
    "fake_github": ROOT / "tests" / "fake_github",
}
ROOTS = {"dsreview": ROOT / "reviewer", "dsengine": ROOT / "engine"}


def packages_on_disk():
    found = set()
    for root in ROOTS.values():
        for init in root.rglob("__init__.py"):
            found.add(".".join(init.parent.relative_to(root).parts))
    return found | {f"dsreview.{name}" for name in LINKED}


def test_the_package_list_is_the_disk():
    assert set(SETTINGS["tool"]["setuptools"]["packages"]) == packages_on_disk()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # a copy: building leaves folders behind, and tests leave the checkout as it was
    subprocess.run(
        [sys.executable, "-c", COPY, str(ROOT), str(source)], check=True, capture_output=True
    )
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(source)],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("dsreview-*.whl")
    return zipfile.ZipFile(built)


COPY = """
import shutil, sys
ignore = shutil.ignore_patterns(".git", "build", "dist", "*.egg-info", "__pycache__", ".*_cache",
                                ".hypothesis", ".venv*")
shutil.copytree(sys.argv[1], sys.argv[2], symlinks=True, ignore=ignore)
"""


def test_the_wheel_holds_every_file_the_program_reads(wheel):
    names = set(wheel.namelist())
    expected = {
        path.relative_to(root).as_posix()
        for root in ROOTS.values()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for name, folder in LINKED.items():
        expected |= {
            f"dsreview/{name}/{path.name}"
            for path in folder.iterdir()
            if path.is_file() and path.suffix != ".pyc"
        }
    assert expected - names == set()


def test_the_wheel_brings_no_tests_along(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"dsreview", "dsengine"}


HELP = """
import sys
from dsreview.cli import main
code = main(["--help"])
heavy = {"torch", "transformers", "github", "git", "rich", "httpx", "tree_sitter", "ast_grep_py"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def test_help_loads_nothing_heavy():
    answer = subprocess.run(
        [sys.executable, "-c", HELP], capture_output=True, text=True, check=True
    )
    assert answer.stderr.strip() == "[]"
    assert "diff" in answer.stdout
    assert "doctor" in answer.stdout


def test_help_costs_less_than_three_tenths_of_a_second():
    """CPU time, and the fastest of several: other work on the machine is not counted."""

    def seconds(code):
        script = f"import time; {code}; print(time.process_time())"
        answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        return float(answer.stdout.strip().splitlines()[-1])

    help_code = "from dsreview.cli import main; main(['--help'])"
    assert min(seconds(help_code) for _ in range(5)) < 0.3


def test_the_command_starts_in_a_folder_full_of_hostile_modules(tmp_path):
    for name in ("typer", "dsengine", "msgspec", "json", "dsreview"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('executed')")
    command = Path(sys.executable).with_name("dsreview")
    if not command.exists():
        pytest.skip("dsreview is not installed as a command here")
    answer = subprocess.run([command, "--version"], cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("dsreview ")
