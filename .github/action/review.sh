# Runs `dsreview pr` with the inputs as options; the token goes through a pipe. What it prints
# is kept in a file, the report for people goes to the job's summary.
#
# Reads VENV and INPUT_*; writes `exit-code` and `report` to GITHUB_OUTPUT. Runs in bash 3.2.
set -eo pipefail

fail() {
    printf '::error title=dsreview::%s\n' "$1"
    exit 2
}

options=(-C "$INPUT_PATH")

# name=value in one word: a value that begins with a dash is no option
add() {
    [ -z "$2" ] || options+=("$1=$2")
}

add_if() {
    case $2 in
    true) options+=("$1") ;;
    false | '') ;;
    *) fail "${1#--}: $2: use true or false" ;;
    esac
}

add --model "$INPUT_MODEL"
add --backend "$INPUT_BACKEND"
add --device "$INPUT_DEVICE"
add --fail-on "$INPUT_FAIL_ON"
add --budget "$INPUT_BUDGET"
add --max-comments "$INPUT_MAX_COMMENTS"
add_if --partial-ok "$INPUT_PARTIAL_OK"
add_if --full "$INPUT_FULL"
add_if --quiet "$INPUT_QUIET"
add_if --dry-run "$INPUT_DRY_RUN"
add_if --ephemeral-runner "$INPUT_EPHEMERAL_RUNNER"
case $INPUT_PULL_REQUEST in
-*) fail "pull-request: $INPUT_PULL_REQUEST: use OWNER/REPO#N or an address" ;;
'') ;;
*) options+=("$INPUT_PULL_REQUEST") ;;
esac

token=$INPUT_TOKEN
unset INPUT_TOKEN
report="$RUNNER_TEMP/dsreview-report.txt"
set +e
"$VENV/bin/python" -I -m dsreview pr --token-fd=3 "${options[@]}" 3< <(printf '%s' "$token") |
    tee "$report"
code=${PIPESTATUS[0]}
printf 'exit-code=%s\nreport=%s\n' "$code" "$report" >>"$GITHUB_OUTPUT"
exit "$code"
