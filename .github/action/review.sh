# Runs `dsreview pr` with the inputs as options. What it prints is kept in a file, the report
# for people goes to the job's summary.
#
# Reads the token from descriptor 3, which it passes on to dsreview alone; it must be in no
# environment, since this shell lives as long as the review. Reads VENV and INPUT_*; writes `exit-code` and `report` to GITHUB_OUTPUT. Runs in bash 3.2.
set -eo pipefail

# what an input says stays one line, or a second one could be a command to the runner
fail() {
    local text=${1//\%/%25}
    text=${text//$'\r'/%0D}
    printf '::error title=dsreview::%s\n' "${text//$'\n'/%0A}"
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

report="$RUNNER_TEMP/dsreview-report.txt"
set +e
"$VENV/bin/python" -I -m dsreview pr --token-fd=3 "${options[@]}" |
    tee "$report" 3<&-
code=${PIPESTATUS[0]}
printf 'exit-code=%s\nreport=%s\n' "$code" "$report" >>"$GITHUB_OUTPUT"
exit "$code"
