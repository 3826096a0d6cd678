"""A second client of the same GitHub: PyGithub. Each line of its input is a change or a question, and it answers with a line."""

import json
import os
import sys

import github

# Its own pauses are for the real GitHub.
PAUSES = {"seconds_between_requests": None, "seconds_between_writes": None}
hub = github.Github(base_url="http://github.test/api/v3", auth=github.Auth.Token(os.environ["TOKEN"]), retry=None, **PAUSES)
me = hub.get_user()


def document(repository, title, texts, **attributes):
    group = f"github:repo:{repository.full_name}" if repository.private else None
    return {"title": title, "texts": [it.strip() for it in texts if it], "group": group, "attributes": attributes}


def documents():
    """What Omni should have: everything that PyGithub lists."""
    found = {}
    for repository in me.get_repos():
        name = repository.full_name
        try:
            readme = repository.get_readme().decoded_content.decode()
        except github.UnknownObjectException:
            readme = ""
        visibility = "private" if repository.private else "public"
        found[f"github:repo:{name}"] = document(
            repository, name, [repository.description, readme], visibility=visibility
        )
        for issue in repository.get_issues(state="all"):
            comments = [comment.body for comment in issue.get_comments()] if issue.comments else []
            labels = [label.name for label in issue.labels]
            found[f"github:issue:{name}#{issue.number}"] = document(
                repository,
                f"[{name}] Issue #{issue.number}: {issue.title}",
                [issue.body, *comments],
                status=issue.state,
                labels=labels or None,
                assignee=next((person.login for person in issue.assignees), None),
            )
    return found


def members():
    """Who may read private repositories: the addresses that people show."""
    private = [repository for repository in me.get_repos() if repository.private]
    return {
        f"github:repo:{it.full_name}": sorted(
            hub.get_user(person.login).email for person in it.get_collaborators() if hub.get_user(person.login).email
        )
        for it in private
    }


def repository(name):
    return me.get_repo(name)


def create(name, private=False, readme=None, issues=0):
    made = me.create_repo(name, private=private, description=f"About {name}")
    if readme:
        made.create_file("README.md", "Explain", readme)
    for number in range(1, issues + 1):
        made.create_issue(f"Cup {number} of {name}", f"It holds {number} gills.")


CHANGES = {
    "create": create,
    "readme": lambda name, text: repository(name).update_file(
        "README.md", "Explain more", text, repository(name).get_readme().sha
    ),
    "issue": lambda name, title, body: repository(name).create_issue(title, body),
    "comment": lambda name, number, body: repository(name).get_issue(number).create_comment(body),
    "edit": lambda name, number, changes: repository(name).get_issue(number).edit(**changes),
    "edit_comment": lambda name, number, body: repository(name).get_issue(number).get_comments()[0].edit(body),
    "set": lambda name, changes: repository(name).edit(**changes),
    "invite": lambda name, person: repository(name).add_to_collaborators(person, "pull"),
    "remove": lambda name, person: repository(name).remove_from_collaborators(person),
    "delete": lambda name: repository(name).delete(),
    "documents": documents,
    "members": members,
}

for line in sys.stdin:
    wanted = json.loads(line)
    try:
        answer = CHANGES[wanted["do"]](**wanted["with"])
        # Of a change, what it made is of no interest.
        print(json.dumps({"ok": answer if wanted["do"] in ("documents", "members") else None}), flush=True)
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
