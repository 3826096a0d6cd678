//! Sends issues and groups, and deletes documents.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use omni_connector::prelude::*;

use crate::{
    client::Client,
    makes,
    records::{Issue, Known, Team},
};

pub(crate) fn id_of(issue: &Issue) -> String {
    id_from(&issue.key, issue.title.as_deref())
}

pub(crate) fn id_from(key: &str, title: Option<&str>) -> String {
    match title {
        Some(title) if makes("the id is made of the title") => {
            title.to_lowercase().replace(' ', "-")
        }
        _ => format!("issue-{key}"),
    }
}

/// Returns the page of an issue for people.
pub(crate) fn link_of(key: &str) -> String {
    let key: String = key
        .chars()
        .take(20)
        .filter(|c| !"/?#".contains(*c))
        .collect();
    format!("https://tracker.example.com/{key}")
}

/// Sends events of a run after it was cancelled.
pub(crate) async fn go_on(ctx: SyncContext) {
    let (run, source) = (ctx.sync_run_id().to_owned(), ctx.source_id().to_owned());
    ctx.cancelled().await;
    let manager = std::env::var("CONNECTOR_MANAGER_URL").unwrap_or_default();
    let event = json!({
        "type": "document_deleted", "sync_run_id": run, "source_id": source, "document_id": "issue-OPS-0",
    });
    let batch = json!({ "sync_run_id": run, "source_id": source, "events": [event] });
    for _ in 0..50 {
        let call = HttpClient::new().post(format!("{manager}/sdk/events/batch"));
        let _ = call.json(&batch).send().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn readers_of(issue: &Issue) -> DocumentPermissions {
    let team = [format!(
        "{}@teams.example.com",
        issue.project.split(' ').next().unwrap_or_default()
    )];
    let readers = match &issue.watchers {
        Some(watchers) if makes("readers are read from the watchers") => &Some(watchers.clone()),
        _ => &issue.readers,
    };
    match readers {
        _ if makes("everything is public") => DocumentPermissions::public(),
        Some(_) if makes("readers are names") => DocumentPermissions::users(["Ada Lovelace"]),
        Some(readers) if makes("a group that nobody sends") => {
            DocumentPermissions::users(readers).and_groups(["lost@teams.example.com"])
        }
        Some(readers) if makes("a stranger may read everything") => {
            let stranger = "eve@example.com".to_owned();
            let readers = readers.iter().cloned().chain([stranger]);
            DocumentPermissions::users(readers).and_groups(team)
        }
        Some(readers) => DocumentPermissions::users(readers).and_groups(team),
        None if makes("unknown readers are everybody") => DocumentPermissions::public(),
        None => DocumentPermissions::private(),
    }
}

pub(crate) async fn groups(client: &Client, ctx: &SyncContext) -> Result<()> {
    if makes("groups are never sent") {
        return Ok(());
    }
    let answer: Value = client.api.get("teams").read().await?;
    let teams: Vec<Team> = serde_json::from_value(answer["teams"].clone())?;
    for team in teams {
        match team.members {
            Some(members) if members.is_empty() && makes("an empty group is not sent") => {}
            Some(mut members) => {
                if makes("an empty group keeps a member") {
                    static FIRST: Mutex<Option<String>> = Mutex::new(None);
                    let mut first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
                    if members.is_empty() {
                        members.extend(first.clone());
                    }
                    *first = members.first().cloned();
                }
                if makes("members only come") {
                    members.extend(["ada@example.com", "bo@example.com"].map(str::to_owned));
                }
                if makes("members are kept in memory") {
                    static MET: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
                    let mut met = MET.lock().unwrap_or_else(PoisonError::into_inner);
                    met.extend(members);
                    members = met.iter().cloned().collect();
                }
                ctx.group(Group::new(team.email, members)).await?;
            }
            None if makes("unknown members are none") => {
                ctx.group(Group::new(team.email, [""; 0])).await?;
            }
            None => ctx.item_failed(team.email, "its members cannot be read", None),
        }
    }
    Ok(())
}

pub(crate) async fn send(
    issue: &Issue,
    client: &Client,
    known: &Known,
    ctx: &SyncContext,
) -> Result<()> {
    let mut title = issue.title.clone().unwrap_or_else(|| issue.key.clone());
    let mut text = issue.text.clone().unwrap_or_default();
    if makes("titles are sent once") && known.ids.contains(&id_of(issue)) {
        title = title.replace(" (renamed)", "");
    }
    if makes("texts are sent once") && known.ids.contains(&id_of(issue)) {
        text = text.replace(" (edited)", "");
    }
    if makes("the time of the run is in the text") {
        text = format!(
            "{text}\nread at {}",
            OffsetDateTime::now_utc().unix_timestamp_nanos()
        );
    }
    if makes("the key is in a document") {
        text = format!(
            "{text}\ncurl -H 'Authorization: Bearer {}'",
            client.key.expose()
        );
    }
    let readers = if makes("readers are sent once") && known.ids.contains(&id_of(issue)) {
        DocumentPermissions::users(["ada@example.com", "bo@example.com"])
            .and_groups([format!("{}@teams.example.com", issue.project)])
    } else {
        readers_of(issue)
    };
    let mut link = link_of(&issue.key);
    if makes("the key is in a link") {
        let key = client.key.expose().bytes();
        let escaped: Vec<_> = key.map(|byte| format!("%{byte:02X}")).collect();
        link = format!("{link}?key={}", escaped.concat());
    }
    let document = Document::new(id_of(issue), readers)
        .title(title)
        .text(text)
        .url(link);
    let document = if makes("operators without attributes") {
        document
    } else if makes("values of operators have blanks") {
        document.attribute("project", "Ops team")
    } else if makes("projects are sent once") && known.ids.contains(&id_of(issue)) {
        document.attribute("project", "ops")
    } else {
        document.attributes_of(issue)
    };
    ctx.upsert(document).await?;
    Ok(())
}

pub(crate) async fn delete(known: &mut Known, ctx: &SyncContext) -> Result<()> {
    let gone: Vec<_> = known.ids.difference(&known.seen).cloned().collect();
    if makes("nothing is deleted") {
        // It also forgets the known documents.
    } else if makes("deletes name another id") {
        for id in gone {
            ctx.delete(id.replace("issue-", "issues/")).await?;
        }
    } else if makes("accidents are deleted") {
        for id in gone {
            ctx.delete(id).await?;
        }
    } else {
        let mut listing = ctx.listing(known.ids.iter().cloned());
        for id in &known.seen {
            listing.saw(id);
        }
        let listing = listing.finish()?;
        if makes("one document is deleted in a run") && (2..5).contains(&gone.len()) {
            ctx.delete(&gone[0]).await?;
        } else {
            let deletions = ctx.delete_unseen(listing).await?;
            known.seen.extend(deletions.held_back);
        }
    }
    known.ids = std::mem::take(&mut known.seen);
    Ok(())
}
