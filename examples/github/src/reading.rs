//! Reads one repository: its README, members, issues, pull requests, comments and discussions.

use std::collections::{BTreeMap, BTreeSet};

use omni_connector::{Walk, prelude::*};

use crate::{
    api::Client,
    documents::{Comment, Discussion, Item, MOST_COMMENTS, Repository},
    sync::{Progress, ids, is_fatal, items, number},
};

/// The most text of comments that is in memory at once, in bytes.
const MOST_KEPT: usize = 64 << 20;

/// One repository during its sync.
pub(crate) struct Reading<'a> {
    client: &'a Client,
    ctx: &'a SyncContext,
    walk: &'a mut Walk<Value>,
    repository: &'a Repository,
    name: &'a str,
    discussions: bool,
    read_as: Value,
    /// Whether Omni may have documents that only its own connector knew.
    pub(crate) is_omnis: bool,
    seen: BTreeSet<u64>,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(
        client: &'a Client,
        ctx: &'a SyncContext,
        walk: &'a mut Walk<Value>,
        repository: &'a Repository,
    ) -> Self {
        let name = &repository.full_name;
        let discussions =
            repository.has_discussions && client.settings.include_discussions.unwrap_or(true);
        Self {
            client,
            ctx,
            walk,
            repository,
            name,
            discussions,
            read_as: json!([name, repository.private, discussions]),
            is_omnis: false,
            seen: BTreeSet::new(),
        }
    }

    fn group(&self) -> String {
        self.repository.document_id()
    }

    fn readers(&self) -> Access {
        if self.repository.private {
            Access::groups([self.group()])
        } else {
            Access::public()
        }
    }

    pub(crate) async fn read(
        &mut self,
        progress: &mut Progress,
        known: usize,
        now: Timestamp,
    ) -> Result<()> {
        let next = progress.since.take(self.ctx, now);
        let since = progress
            .since
            .get()
            .filter(|_| progress.read_as == self.read_as);
        self.members().await?;
        self.readme().await?;
        let lacks_some = match since {
            // A list of changes does not contain deleted items, but the counts reveal them.
            Some(_) => self
                .client
                .count(self.name, self.discussions)
                .await?
                .is_some_and(|total| total < known as u64),
            None => true,
        };
        self.items(since, lacks_some).await?;
        if self.discussions {
            self.changed_discussions(since.filter(|_| !lacks_some))
                .await?;
        }
        if lacks_some {
            self.gone().await?;
        }
        self.walk.keep_part(&items(self.name));
        progress.read_as = self.read_as.clone();
        next.commit();
        Ok(())
    }

    /// Sends the group of a private repository. If its members cannot be read, Omni keeps the last ones.
    async fn members(&self) -> Result<()> {
        if !self.repository.private {
            return Ok(());
        }
        let organisation = self.repository.owner();
        let found = async {
            let people = self.client.collaborators(self.name).await?;
            let mut looked_up = self.client.rest.in_order(people, |person| async move {
                let key = format!("{} {organisation}", person.login);
                self.ctx
                    .once(
                        key,
                        Box::pin(self.client.email(&person.login, organisation)),
                    )
                    .await
            });
            let mut addresses = Vec::new();
            while let Some(email) = looked_up.next().await {
                addresses.extend(email?.filter(|email| self.ctx.source().admits(email.as_str())));
            }
            Ok(addresses)
        };
        match found.await {
            Err(SourceError::Forbidden { message, .. }) => {
                let reason =
                    "GitHub shows the token no collaborators, so the group keeps its last members";
                self.ctx.skip_with(self.group(), reason, message);
                Ok(())
            }
            found => Ok(self.ctx.members(self.group(), found).await?),
        }
    }

    async fn readme(&mut self) -> Result<()> {
        let (repository, id) = (self.repository, self.repository.document_id());
        let version = json!([self.read_as, repository.updated_at, repository.pushed_at]);
        if self.walk.is_current(&id, &version) {
            return Ok(());
        }
        match self.client.readme(self.name).await {
            Ok(readme) => {
                let document = repository.document(self.readers(), readme.as_deref());
                Ok(self.walk.upsert(document, &version).await?)
            }
            Err(error) => self.failed(&id, error, &repository.html_url),
        }
    }

    /// Returns the comments that changed since a time, by the number of their item: with their texts when all are read.
    /// Returns `None` if all are too many to keep.
    async fn comments(
        &self,
        since: Option<Timestamp>,
    ) -> Result<Option<BTreeMap<u64, Vec<String>>>> {
        let mut comments: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        let mut kept = 0;
        for list in ["issues/comments?", "pulls/comments?"] {
            let mut pages = self.client.changes::<Comment>(self.name, list, since);
            while let Some(page) = pages.next().await? {
                for (number, comment) in page.iter().filter_map(|it| Some((it.number()?, it))) {
                    let of_item = comments.entry(number).or_default();
                    if since.is_none() && of_item.len() < 2 * MOST_COMMENTS {
                        let text = comment.text();
                        kept += text.as_ref().map_or(0, String::len);
                        of_item.extend(text);
                    }
                }
                if kept > MOST_KEPT {
                    return Ok(None);
                }
            }
            let _all = pages.finish().map_err(SourceError::Walk)?;
        }
        Ok(Some(comments))
    }

    /// Reads the issues and pull requests that changed since a time, or all of them. The first run reads comments with
    /// one list if they fit, later runs for each item.
    async fn items(&mut self, since: Option<Timestamp>, all: bool) -> Result<()> {
        let comments = self.comments(since).await?;
        let is_first = since.is_none() && comments.is_some();
        let mut comments = comments.unwrap_or_default();
        let since = since.filter(|_| !all);
        let mut pages = self
            .client
            .changes::<Item>(self.name, "issues?state=all&", since);
        while let Some(page) = pages.next().await? {
            let items = page
                .into_iter()
                .map(|item| (comments.remove(&item.number), item));
            self.send(items.collect(), is_first).await?;
        }
        let _all = pages.finish().map_err(SourceError::Walk)?;
        // A new comment does not always change its item.
        let numbers = comments.into_keys().filter(|_| !is_first);
        for number in numbers {
            if let Some(item) = self.client.item(self.name, number).await? {
                self.send(vec![(Some(Vec::new()), item)], false).await?;
            }
        }
        Ok(())
    }

    /// Sends items with the given comments, or with those that GitHub has now.
    async fn send(
        &mut self,
        items: Vec<(Option<Vec<String>>, Item)>,
        is_first: bool,
    ) -> Result<()> {
        let (client, name, read_as) = (self.client, self.name, self.read_as.clone());
        let version = |item: &Item| json!([read_as, item.updated_at, item.comments]);
        let mut wanted = Vec::new();
        for (comments, item) in items {
            let id = item.document_id(name);
            self.seen.insert(item.number);
            // In a later run the given comments are the changed ones.
            let is_touched = !is_first && comments.is_some();
            if is_touched || !self.walk.is_current(&id, &version(&item)) {
                wanted.push((item, comments));
            }
        }
        let mut complete = client.rest.in_order(wanted, |(item, comments)| async move {
            let comments = if is_first {
                Ok(comments.unwrap_or_default())
            } else {
                client.comments(name, &item).await
            };
            (item, comments)
        });
        while let Some((item, comments)) = complete.next().await {
            match comments {
                Ok(comments) => {
                    let document = item.document(name, self.readers(), &comments);
                    self.walk.upsert(document, &version(&item)).await?;
                }
                Err(error) => self.failed(&item.document_id(name), error, &item.html_url)?,
            }
        }
        Ok(())
    }

    async fn changed_discussions(&mut self, since: Option<Timestamp>) -> Result<()> {
        let mut pages = self.client.discussions(self.name, since.is_none());
        while let Some(page) = pages.next().await? {
            for discussion in &page {
                if since.is_some_and(|since| discussion.updated_at < since) {
                    return Ok(());
                }
                self.discussion(discussion).await?;
            }
        }
        let _all = pages.finish().map_err(SourceError::Walk)?;
        Ok(())
    }

    async fn discussion(&mut self, discussion: &Discussion) -> Result<()> {
        let id = discussion.document_id(self.name);
        self.seen.insert(discussion.number);
        let version = json!([self.read_as, discussion.updated_at]);
        if !self.walk.is_current(&id, &version) {
            let document = discussion.document(self.name, self.readers());
            self.walk.upsert(document, &version).await?;
        }
        Ok(())
    }

    /// Deletes the items that GitHub itself reports as deleted. A list whose items move proves nothing about a single
    /// one.
    async fn gone(&mut self) -> Result<()> {
        for id in self.walk.unseen(&items(self.name)) {
            let Some(number) = number(&id) else { continue };
            let is_discussion = id.starts_with("github:discussion:");
            if is_discussion
                && self.discussions
                && let Some(found) = self.client.discussion(self.name, number).await?
            {
                self.discussion(&found).await?;
            } else if !is_discussion
                && let Some(found) = self.client.item(self.name, number).await?
            {
                let is_same = found.document_id(self.name) == id;
                self.send(vec![(None, found)], false).await?;
                if !is_same {
                    self.walk.delete(&id).await?;
                }
            } else {
                self.walk.delete(&id).await?;
            }
        }
        if self.is_omnis {
            let highest = self.seen.last().copied().unwrap_or_default();
            for number in (1..=highest).filter(|number| !self.seen.contains(number)) {
                for id in ids(self.name, number) {
                    self.ctx.delete(id).await?;
                }
            }
        }
        Ok(())
    }

    /// Keeps Omni's version of a document that cannot be read now.
    fn failed(&mut self, id: &str, error: SourceError, link: &str) -> Result<()> {
        if is_fatal(&error) {
            return Err(error.into());
        }
        self.walk.failed(id, error, Some(link));
        Ok(())
    }
}
