# Installs dsreview from the action's own files into a virtual environment that stays on the
# runner. Its name holds a digest of those files, of the Python and of the extras: what was
# installed once is found again, and never a different version.
#
# Reads ACTION and INPUT_*; writes `venv` to GITHUB_OUTPUT. Runs in bash 3.2 (macOS).
set -eo pipefail

# what an input says stays one line, or a second one could be a command to the runner
fail() {
    local text=${1//\%/%25}
    text=${text//$'\r'/%0D}
    printf '::error title=dsreview::%s\n' "${text//$'\n'/%0A}"
    exit 2
}

is_usable() {
    "$1" -I -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local candidate
    if [ -n "$INPUT_PYTHON" ]; then
        is_usable "$INPUT_PYTHON" || fail "$INPUT_PYTHON: no Python of 3.11 or newer with venv"
        printf '%s' "$INPUT_PYTHON"
        return
    fi
    # those that it is tested with come first
    for candidate in python3.13 python3.12 python3.11 python3 python3.14 \
        /opt/homebrew/bin/python3 /usr/local/bin/python3; do
        if is_usable "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    fail 'no Python of 3.11 or newer is on this runner; install one, or name it with python:'
}

digest() {
    "$1" -I - "$ACTION" "$INPUT_EXTRAS" <<'EOF'
import hashlib, pathlib, sys

folder, extras = pathlib.Path(sys.argv[1]), sys.argv[2]
sums = hashlib.sha256(f"{sys.version} {sys.prefix} {extras}".encode())
names = ("engine", "hooks", "prompts", "reviewer", "tests/fake_github")
files = [file for name in names for file in folder.joinpath(name).rglob("*") if file.is_file()]
for file in sorted([*files, folder / "pyproject.toml", folder / "constraints.txt"]):
    if not any(part.endswith(("__pycache__", ".egg-info")) for part in file.parts):
        sums.update(f"\0{file.relative_to(folder)}\0".encode() + file.read_bytes())
print(sums.hexdigest()[:16])
EOF
}

build() {
    local new
    mkdir -p "$place"
    new=$(mktemp -d "$place/venv.XXXXXX")
    "$python" -I -m venv "$new"
    (cd "$ACTION" && "$new/bin/python" -I -m pip install --quiet --disable-pip-version-check \
        -c constraints.txt ".${INPUT_EXTRAS:+[$INPUT_EXTRAS]}") || {
        rm -rf "$new"
        fail 'dsreview could not be installed; pip says why above'
    }
    # the first to finish wins; making a link is one step, so nobody sees half of one
    ln -sn "$new" "$place/ready" 2>/dev/null || rm -rf "$new"
}

has_dsreview() {
    "$1/bin/python" -I -m dsreview --version 2>/dev/null
}

tell() {
    printf 'venv=%s\n' "$1" >>"$GITHUB_OUTPUT"
}

if [ -n "$INPUT_INSTALLED" ]; then
    has_dsreview "$INPUT_INSTALLED" || fail "installed: $INPUT_INSTALLED: no dsreview is there"
    tell "$INPUT_INSTALLED"
    exit
fi
case $INPUT_EXTRAS in
*[!a-z,]*) fail "extras: $INPUT_EXTRAS: use names as in pyproject.toml, with commas between them" ;;
esac
python=$(find_python) || {
    printf '%s\n' "$python"
    exit 2
}
home="${RUNNER_TOOL_CACHE:-$HOME/.cache}/dsreview"
place="$home/$(digest "$python")"
if ! has_dsreview "$place/ready"; then
    rm -f "$place/ready" # a Python that was updated or removed takes its environments along
    build
    has_dsreview "$place/ready" || fail "dsreview was installed into $place and does not start"
fi
touch "$place"
find "$home" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} +
tell "$place/ready"
