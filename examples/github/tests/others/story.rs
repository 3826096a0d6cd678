//! The changes that a second client makes, one after the other, each followed by a run and a comparison.

use omni_connector::prelude::*;

use crate::{Report, world::World};

/// The changes of the second client, each with what the promise is.
fn changes() -> Vec<(&'static str, &'static str, Value)> {
    let edit = |name: &str, number: u32, changes: Value| json!({ "name": name, "number": number, "changes": changes });
    let set = |name: &str, changes: Value| json!({ "name": name, "changes": changes });
    vec![
        (
            "a new issue arrives",
            "issue",
            json!({ "name": "tea", "title": "Pour", "body": "Slowly." }),
        ),
        (
            "a comment on an old issue arrives",
            "comment",
            json!({ "name": "tea", "number": 1, "body": "Too small." }),
        ),
        (
            "an edited comment arrives",
            "edit_comment",
            json!({ "name": "tea", "number": 1, "body": "Far too small." }),
        ),
        (
            "an issue is closed, and labelled",
            "edit",
            edit("tea", 2, json!({ "state": "closed", "labels": ["warm"] })),
        ),
        (
            "an issue is opened again under another title",
            "edit",
            edit(
                "tea",
                2,
                json!({ "state": "open", "title": "A larger cup", "assignees": ["ann"] }),
            ),
        ),
        (
            "a new README arrives",
            "readme",
            json!({ "name": "tea", "text": "# Tea\n\nWith milk." }),
        ),
        (
            "a renamed repository takes its issues along",
            "set",
            set("tea", json!({ "name": "chai" })),
        ),
        (
            "an issue of the renamed repository arrives",
            "issue",
            json!({ "name": "chai", "title": "Cardamom", "body": "Two pods." }),
        ),
        (
            "a repository that becomes private hides all its documents",
            "set",
            set("chai", json!({ "private": true })),
        ),
        (
            "a new collaborator becomes a reader",
            "invite",
            json!({ "name": "chai", "person": "bob" }),
        ),
        (
            "a collaborator without an address becomes no reader",
            "invite",
            json!({ "name": "chai", "person": "shy" }),
        ),
        (
            "a collaborator who left reads nothing more",
            "remove",
            json!({ "name": "chai", "person": "bob" }),
        ),
        (
            "a repository that becomes public shows all its documents",
            "set",
            set("chai", json!({ "private": false })),
        ),
        (
            "a new private repository arrives with its readers",
            "create",
            json!({ "name": "vault", "private": true, "issues": 2 }),
        ),
        (
            "a repository without issues and README arrives",
            "create",
            json!({ "name": "empty" }),
        ),
        (
            "a deleted repository is gone with its issues",
            "delete",
            json!({ "name": "cups" }),
        ),
    ]
}

pub(crate) async fn story(world: &mut World, report: &mut Report) {
    let first = async |world: &mut World| {
        for (name, private, issues) in [("tea", false, 105), ("cups", false, 3), ("till", true, 2)]
        {
            let made = json!({ "name": name, "private": private, "readme": format!("# {name}\n"), "issues": issues });
            world.second.ask("create", made).await?;
        }
        let ann_and_eve = json!({ "name": "till", "person": "eve" });
        world.follows("invite", ann_and_eve, SyncType::Full).await
    };
    report.check("a full run brings everything", first(world).await);
    for (promise, what, with) in changes() {
        let followed = world.follows(what, with, SyncType::Incremental).await;
        report.check(promise, followed);
    }
    let again = async |world: &mut World| {
        let ended = world.sync(SyncType::Full).await?;
        ensure!(ended.failures() == 0, "{:?}", ended.report());
        world.has_all().await
    };
    report.check("a second full run changes nothing", again(world).await);
    let killed = async |world: &mut World| {
        world.setup.kill_and_restart().await;
        world
            .second
            .ask(
                "issue",
                json!({ "name": "chai", "title": "Late", "body": "After dark." }),
            )
            .await?;
        again(world).await
    };
    report.check("another process goes on", killed(world).await);
    report.check(
        "a tool of the MCP server works for the source",
        tools(world).await,
    );
    report.check("requests are as GitHub describes them", judged(world).await);
}

/// What a tool writes, Omni finds after the next run.
async fn tools(world: &mut World) -> Result<()> {
    let me = world.tool("get_me", json!({})).await?;
    ensure!(me["login"] == "ann", "get_me: {me}");
    let wanted = json!({ "owner": "ann", "repo": "chai", "title": "From a tool", "body": "Written by GitHub's server." });
    let made = world.tool("create_issue", wanted).await?;
    let url = made["url"].as_str().or_else(|| made["html_url"].as_str());
    let number = url.and_then(|url| url.rsplit('/').next());
    let number: u64 = number.with_context(|| made.to_string())?.parse()?;
    let comment = json!({ "owner": "ann", "repo": "chai", "issue_number": number, "body": "And commented on." });
    world.tool("add_issue_comment", comment).await?;
    world.sync(SyncType::Incremental).await?;
    let found = world.setup.documents().await;
    let document = found
        .get(&format!("github:issue:ann/chai#{number}"))
        .context("the issue is not in Omni")?;
    ensure!(document.text.contains("And commented on."));
    world.has_all().await
}

/// Every request of the connector is one that GitHub describes, and none went to another host.
async fn judged(world: &World) -> Result<()> {
    let judged = world.judged().await?;
    let list = |key: &str| judged[key].as_array().cloned().unwrap_or_default();
    println!("   {}", json!(list("operations")));
    for operation in [
        "issues/list-for-repo",
        "repos/list-collaborators",
        "graphql",
    ] {
        let was_asked = list("operations").contains(&json!(operation));
        ensure!(was_asked, "{operation} was never asked: {judged}");
    }
    ensure!(list("problems").is_empty(), "{}", judged["problems"]);
    ensure!(
        list("foreign").is_empty(),
        "requests elsewhere: {}",
        judged["foreign"]
    );
    Ok(())
}
