"""The repository, its pull requests and their files; check runs; who is asking."""

from typing import Any

from dsreview.fake_github.bodies import Bodies
from dsreview.fake_github.places import Place, find_by_id
from dsreview.fake_github.replies import Call, Refused, Reply, forbidden, page
from dsreview.fake_github.world import CheckRun, Repository

MOST_FILES_LISTED = 3000
MOST_FILES_IN_A_DIFF = 300
MOST_LINES_IN_A_DIFF = 20000
MOST_ANNOTATIONS = 50
MOST_COMMITS_LISTED = 250
CHECK_APP = "You must authenticate via a GitHub App."
DIFF_TYPES = ("application/vnd.github.diff", "application/vnd.github.v3.diff")


def get_repository(place: Place, call: Call) -> Reply:
    return Reply(200, place.bodies.whole_repository())


def get_permission(place: Place, call: Call) -> Reply:
    login = call.holes["username"]
    role = place.repository.collaborators.get(login, "none")
    if login == place.repository.owner:
        role = "admin"
    elif role == "none" and not place.repository.is_private:
        role = "read"
    user = place.bodies.user(login) | {"role_name": role}
    return Reply(200, {"permission": role, "role_name": role, "user": user})


def get_commit(place: Place, call: Call) -> Reply:
    if call.holes["ref"] not in set(place.repository.commits()):
        raise Refused(422, f"No commit found for SHA: {call.holes['ref']}")
    return Reply(200, place.bodies.commit(call.holes["ref"]))


def list_pulls(place: Place, call: Call) -> Reply:
    state = call.query.get("state", "open")
    shown = [
        pull
        for pull in place.repository.pulls.values()
        if state == "all" or pull.is_open == (state == "open")
    ]
    return page(call, [place.bodies.listed_pull(pull) for pull in reversed(shown)])


def get_pull(place: Place, call: Call) -> Reply:
    if call.accept in DIFF_TYPES:
        return _diff(place, call)
    return Reply(200, place.bodies.pull(place.pull))


def _diff(place: Place, call: Call) -> Reply:
    files = place.pull.now.files
    lines = sum((file.patch or "").count("\n") + 1 for file in files)
    for size, most, what in (
        (len(files), MOST_FILES_IN_A_DIFF, "files"),
        (lines, MOST_LINES_IN_A_DIFF, "lines"),
    ):
        if size > most:
            said = f"Sorry, the diff exceeded the maximum number of {what} ({most})."
            large = {"resource": "PullRequest", "field": "diff", "code": "too_large"}
            raise Refused(406, said, [large])
    text = "".join(
        f"diff --git a/{file.previous_path or file.path} b/{file.path}\n"
        f"--- a/{file.previous_path or file.path}\n+++ b/{file.path}\n{file.patch or ''}\n"
        for file in files
    )
    return Reply(200, text.encode(), media_type="application/vnd.github.diff; charset=utf-8")


def list_files(place: Place, call: Call) -> Reply:
    head = place.pull.head_sha
    bodies = [place.bodies.file(file, head) for file in place.pull.now.files]
    return page(call, bodies, most=MOST_FILES_LISTED)


def list_commits(place: Place, call: Call) -> Reply:
    bodies = [place.bodies.commit(sha) for sha in place.pull.now.commits]
    return page(call, bodies, most=MOST_COMMITS_LISTED)


def create_check_run(place: Place, call: Call) -> Reply:
    _require_app(call)
    if call.body["head_sha"] not in set(place.repository.commits()):
        raise Refused(422, f"No commit found for SHA: {call.body['head_sha']}")
    run = CheckRun(next(place.world.ids), call.body["head_sha"], {})
    place.repository.check_runs.append(run)
    return Reply(201, place.bodies.check_run(_told(run, call.body)))


def _require_app(call: Call) -> None:
    if call.token.kind == "personal":
        raise Refused(403, CHECK_APP)
    if not call.token.may_write("checks"):
        raise forbidden(call)


def _told(run: CheckRun, sent: dict[str, Any]) -> CheckRun:
    """The run after `sent`; annotations are added to those it has."""
    annotations = sent.get("output", {}).get("annotations", [])
    if len(annotations) > MOST_ANNOTATIONS:
        raise Refused(422, f"No more than {MOST_ANNOTATIONS} annotations are allowed.")
    run.annotations += annotations
    run.fields |= sent
    if "conclusion" in sent:
        run.fields["status"] = "completed"
    return run


def get_check_run(place: Place, call: Call) -> Reply:
    run = find_by_id(place.repository.check_runs, call.holes["check_run_id"])
    return Reply(200, place.bodies.check_run(run))


def edit_check_run(place: Place, call: Call) -> Reply:
    _require_app(call)
    run = find_by_id(place.repository.check_runs, call.holes["check_run_id"])
    return Reply(200, place.bodies.check_run(_told(run, call.body)))


def list_check_runs(place: Place, call: Call) -> Reply:
    runs = [
        place.bodies.check_run(run)
        for run in place.repository.check_runs
        if run.head_sha == call.holes["ref"]
        and call.query.get("check_name", run.fields["name"]) == run.fields["name"]
    ]
    paged = page(call, runs)
    return Reply(200, {"total_count": len(runs), "check_runs": paged.body}, paged.headers)


def get_user(call: Call) -> Reply:
    """The token of a workflow is no user: it may not ask who it is."""
    if call.token.kind != "personal":
        raise forbidden(call)
    bodies = Bodies(call.base, Repository("github", "none"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    view = {"user_view_type": "public"}
    words = dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio"))
    times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
    return Reply(200, bodies.user(call.token.login) | view | words | counts | times)


def get_rate_limit(call: Call) -> Reply:
    left = {"limit": 5000, "used": 0, "remaining": 5000, "reset": 1800000000}
    names = ("core", "search", "graphql", "integration_manifest")
    return Reply(200, {"resources": dict.fromkeys(names, left), "rate": left})
