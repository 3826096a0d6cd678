//! Doubts about a source: suspicious facts about its documents and runs. A doubt must never fail a run.

use std::{borrow::Cow, collections::BTreeMap};

use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::Refusal;
use crate::{
    lookup,
    shared::Shared,
    store::{
        StoreError, checkpoints, history, operators, people, requests,
        review::{self, Census},
        runs::{self, Run, RunEffects, RunStatus},
        sources::SourceRecord,
    },
};

/// The number of latest runs that are examined.
const RUNS: usize = 20;
/// Numbers at which pages and searches of services usually end.
const CAPS: [u64; 9] = [50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000];

/// The topic of secrets in documents.
const SECRET: &str = "secrets";
/// Walks that are named.
const WALKS: usize = 5;
/// Calls of a run that are no reason to count them.
const FEW: u64 = 20;
/// How often a run may ask for one address.
const AGAIN: u64 = 5;

/// Something that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Doubt {
    /// What it is about.
    pub(crate) topic: Cow<'static, str>,
    /// Whether documents or secrets may be lost by it.
    pub(crate) is_serious: bool,
    /// One sentence with its numbers.
    pub(crate) text: String,
    /// A search that finds it.
    pub(crate) search: Option<String>,
    /// Why a person dismissed it.
    #[serde(default)]
    pub(crate) dismissed: Option<String>,
}

impl Doubt {
    /// Returns what stays the same when its numbers change.
    fn kind(&self) -> String {
        let text = self.text.chars().filter(|c| !c.is_ascii_digit());
        format!("{}: {}", self.topic, text.collect::<String>())
    }
}

/// Dismisses a doubt about a source with a reason. Without one, the doubt counts again.
pub(crate) async fn dismiss(
    shared: &Shared,
    source_id: &str,
    text: &str,
    reason: Option<String>,
) -> Result<(), Refusal> {
    let all = doubts(shared, source_id).await?;
    let Some(doubt) = all.into_iter().find(|doubt| doubt.text == text) else {
        return Err(Refusal::NotFound(
            "the source has no such doubt any more".to_owned(),
        ));
    };
    if doubt.topic == SECRET {
        let text = "a secret that is stored in a document is not dismissed; remove it there, then sync fully";
        return Err(Refusal::BadRequest(text.to_owned()));
    }
    let (source, kind) = (source_id.to_owned(), doubt.kind());
    let write =
        move |db: &Transaction<'_>| history::dismiss_doubt(db, &source, &kind, reason.as_deref());
    Ok(shared.store.write(write).await?)
}

/// Returns all doubts about a source: serious ones first, dismissed ones last.
pub(crate) async fn doubts(shared: &Shared, source_id: &str) -> Result<Vec<Doubt>, StoreError> {
    let Some(source) = lookup::source(shared, source_id).await? else {
        return Ok(Vec::new());
    };
    let manifest = lookup::connector(shared, &source);
    let declared = manifest
        .map(|manifest| manifest.search_operators)
        .unwrap_or_default();
    let names: Vec<_> = declared
        .into_iter()
        .map(|declared| declared.operator)
        .collect();
    shared
        .store
        .read(move |db| {
            let mut found = Found::default();
            found.documents(db, &source)?;
            found.principals(db, &source)?;
            found.operators(db, &names)?;
            found.runs(db, &source)?;
            found.requests(db, &source)?;
            found.secrets(db, &source)?;
            let dismissed = history::dismissed_doubts(db, &source.id)?;
            for doubt in &mut found.0 {
                doubt.dismissed = dismissed.get(&doubt.kind()).cloned();
            }
            found
                .0
                .sort_by_key(|doubt| (doubt.dismissed.is_some(), !doubt.is_serious));
            Ok(found.0)
        })
        .await
}

#[derive(Default)]
struct Found(Vec<Doubt>);

impl Found {
    fn add(&mut self, topic: &'static str, is_serious: bool, text: impl Into<String>) {
        self.0.push(Doubt {
            topic: topic.into(),
            is_serious,
            text: text.into(),
            search: None,
            dismissed: None,
        });
    }

    fn documents(&mut self, db: &Connection, source: &SourceRecord) -> Result<(), StoreError> {
        let now = OffsetDateTime::now_utc() + time::Duration::MINUTE;
        let now = now.format(&Rfc3339).unwrap_or_default();
        let Census {
            documents: all,
            public,
            unreadable,
            untitled,
            empty_texts,
            texts_with_markup,
            distinct_texts,
            distinct_times,
            timed,
            in_the_future,
            same_but_for_case,
        } = review::census(db, &source.id, &now)?;
        if all == 0 {
            return Ok(());
        }
        if CAPS.contains(&all) {
            let text = format!(
                "There are exactly {all} documents, which looks like the end of a page and not of the list."
            );
            self.add("walk", true, text);
        }
        if public == all && all > 1 {
            self.add(
                "access",
                true,
                format!("All {all} documents are public: everybody in the company sees them."),
            );
        }
        if unreadable > 0 {
            let text = format!(
                "{} {} no reader, so nobody finds {}.",
                many(unreadable, all),
                has(unreadable),
                them(unreadable)
            );
            self.add("access", unreadable == all, text);
        }
        if same_but_for_case > 0 {
            let text = format!(
                "{same_but_for_case} ids differ from another one only in upper and lower case."
            );
            self.add("ids", true, text);
        }
        if untitled > 0 {
            self.add(
                "titles",
                false,
                format!("{} {} no title.", many(untitled, all), has(untitled)),
            );
        }
        if empty_texts > 0 {
            self.add(
                "texts",
                false,
                format!(
                    "{} {} an empty text.",
                    many(empty_texts, all),
                    has(empty_texts)
                ),
            );
        }
        if distinct_texts == 1 && all > 2 {
            self.add(
                "texts",
                false,
                format!("All {all} documents have the same text."),
            );
        }
        if texts_with_markup > 0 {
            let text = format!(
                "{} {} a text that still holds markup.",
                many(texts_with_markup, all),
                has(texts_with_markup)
            );
            self.add("texts", false, text);
        }
        if distinct_times == 1 && timed > 2 {
            self.add(
                "times",
                false,
                format!("All {timed} documents have the same time of change."),
            );
        }
        if in_the_future > 0 {
            let text = format!(
                "{} changed in the future, by {} time.",
                many(in_the_future, all),
                if in_the_future == 1 { "its" } else { "their" }
            );
            self.add("times", false, text);
        }
        Ok(())
    }

    fn principals(&mut self, db: &Connection, source: &SourceRecord) -> Result<(), StoreError> {
        let [users, groups] = review::principals(db, &source.id)?;
        let mut unsent = Vec::new();
        for (group, documents) in &groups {
            let is_domain = !group.contains('@') && group.contains('.');
            if !is_domain && review::members(db, group)?.is_none() {
                unsent.push((group, documents));
            }
        }
        if let [(first, documents), rest @ ..] = &unsent[..] {
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!(" and {} more", rest.len())
            };
            let text = format!(
                "`{first}`{more} may read documents ({documents} of them name the first), and no group event has said who is in it."
            );
            self.add("access", true, text);
        }
        let odd = |user: &&String| {
            !user.contains('@')
                || user.contains(['<', '>', ' '])
                || people::identity(user) != **user
        };
        let odd: Vec<_> = users.keys().filter(odd).collect();
        if let [first, rest @ ..] = &odd[..] {
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!(" and {} more", rest.len())
            };
            self.add("access", true, format!("`{first}`{more} is named as a reader, and is not an e-mail address as Omni compares it."));
        }
        Ok(())
    }

    fn operators(&mut self, db: &Connection, names: &[String]) -> Result<(), StoreError> {
        for operator in operators::all(db)? {
            if !names.contains(&operator.operator) {
                continue;
            }
            let usage = review::usage(db, &operator.attribute_key)?;
            let name = &operator.operator;
            if usage.documents == 0 {
                let text = format!(
                    "The operator `{name}:` finds nothing: no document has the attribute `{}`.",
                    operator.attribute_key
                );
                self.add("operators", true, text);
            }
        }
        Ok(())
    }

    fn runs(&mut self, db: &Connection, source: &SourceRecord) -> Result<(), StoreError> {
        let mut completed: Vec<(Run, RunEffects)> = Vec::new();
        for run in runs::latest(db, Some(&source.id), RUNS)? {
            if run.status == RunStatus::Completed {
                let effects = runs::effects(db, &run.id)?;
                completed.push((run, effects));
            }
        }
        let Some((last, effects)) = completed.first() else {
            return Ok(());
        };
        if effects.refused > 0 {
            let text = format!(
                "The last run sent {} events that Omni's indexer would not take.",
                effects.refused
            );
            self.add("events", true, text);
        }
        let offers = |run: &Run| run.sync_type.to_string() == "incremental";
        if let [(newer, a), (older, b), ..] = &completed[..]
            && offers(newer)
            && offers(older)
            && a.updated > 0
            && a.updated == b.updated
        {
            let text = format!(
                "Two incremental runs in a row updated {} documents: ids, times or texts are perhaps not stable.",
                a.updated
            );
            self.add("changes", true, text);
        }
        if offers(last) && checkpoints::find(db, &source.id)?.is_none() && effects.documents() > 0 {
            self.add(
                "checkpoint",
                true,
                "The last incremental run brought documents and saved no checkpoint.",
            );
        }
        let full: Vec<_> = completed
            .iter()
            .filter(|(run, _)| !offers(run))
            .take(3)
            .collect();
        if full.len() == 3 && full.iter().all(|(_, effects)| effects.deleted == 0) {
            self.add(
                "deletes",
                false,
                "None of the last three full runs deleted anything.",
            );
        }
        Ok(())
    }

    /// What the last run asked of its source.
    fn requests(&mut self, db: &Connection, source: &SourceRecord) -> Result<(), StoreError> {
        let Some(run) = runs::latest(db, Some(&source.id), 1)?.pop() else {
            return Ok(());
        };
        let logs = requests::of_run(db, &run.id)?;
        for walk in logs.iter().flat_map(|log| &log.walks).take(WALKS) {
            if let Some(why) = &walk.incomplete {
                let text = format!(
                    "A walk over `{}` did not come to its end: {why}",
                    walk.operation
                );
                self.add("walk", true, text);
            }
        }
        let calls = logs.iter().map(|log| log.calls).sum::<u64>();
        let documents = runs::effects(db, &run.id)?.documents();
        if calls > FEW && calls > documents {
            let text = format!("The last run made {calls} calls for {documents} documents.");
            self.add("requests", false, text);
        }
        let mut asked: BTreeMap<&str, u64> = BTreeMap::new();
        let all = logs.iter().flat_map(|log| &log.requests);
        for request in all.filter(|one| one.method == "GET" && one.page.is_none()) {
            *asked.entry(&request.url).or_default() += 1;
        }
        if let Some((url, times)) = asked.into_iter().max_by_key(|(_, times)| *times)
            && times > AGAIN
        {
            let text = format!("The last run asked for `{url}` {times} times.");
            self.add("requests", false, text);
        }
        Ok(())
    }

    fn secrets(&mut self, db: &Connection, source: &SourceRecord) -> Result<(), StoreError> {
        for secret in review::secrets_of(db, &source.id)? {
            if let Some((document, part)) = review::leak(db, &source.id, &secret)? {
                let text = format!(
                    "A secret of the source stands in the {part} of the document `{document}`."
                );
                self.add(SECRET, true, text);
            }
        }
        Ok(())
    }
}

fn many(part: u64, all: u64) -> String {
    match part {
        1 => format!("1 of {all} documents"),
        part if part == all => format!("All {all} documents"),
        part => format!("{part} of {all} documents"),
    }
}

fn has(count: u64) -> &'static str {
    if count == 1 { "has" } else { "have" }
}

fn them(count: u64) -> &'static str {
    if count == 1 { "it" } else { "them" }
}
