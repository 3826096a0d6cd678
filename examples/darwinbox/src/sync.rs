//! How people, policies and announcements come to Omni: all of them, or what changed.

use std::collections::BTreeSet;

use omni_connector::prelude::*;

use crate::{
    Darwinbox, Settings,
    api::HrClient,
    cursor::{Cursor, Known},
    notices::Notice,
    people::Employee,
};

#[connector]
impl Darwinbox {
    /// A key that does not work is found before a run begins, and said to who began it. Whatever else is wrong now may be
    /// over when the run needs it.
    #[validate]
    async fn key_works(&self, hr: HrClient) -> Result<()> {
        match hr.call::<Value>("account/whoami", json!({})).await {
            Err(refused @ ActionError::Unauthorized(_)) => Err(refused.into()),
            _ => Ok(()),
        }
    }

    #[sync(full)]
    async fn everything(
        &self,
        config: Config<Settings>,
        hr: HrClient,
        mut checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        let before = checkpoint.last()?.unwrap_or_default().known;
        let mut listing = ctx.listing(before.documents());
        let mut walk = Walk::new(&ctx, &config, hr.patient(), Known::default());
        let changed_since = walk.changes(None).await?;
        walk.known.documents().for_each(|id| listing.saw(id));

        let deletions = ctx.delete_unseen(listing.finish()?).await?;
        let members = deletions.deleted.iter().filter_map(|id| before.person(id));
        for member in members {
            walk.person_gone(&member.email).await?;
        }
        for id in deletions.held_back {
            walk.known.keep(id, &before);
        }
        walk.regroup(before.departments().cloned());
        walk.finish(&mut checkpoint, changed_since).await
    }

    #[sync(incremental)]
    async fn changes(
        &self,
        config: Config<Settings>,
        hr: HrClient,
        mut checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        let known = std::mem::take(&mut checkpoint.known);
        let mut walk = Walk::new(&ctx, &config, hr.patient(), known);
        let changed_since = walk.changes(checkpoint.changed_since.as_deref()).await?;
        walk.finish(&mut checkpoint, changed_since).await
    }
}

/// One walk through the HR system.
struct Walk<'a> {
    ctx: &'a SyncContext,
    settings: &'a Settings,
    hr: HrClient,
    known: Known,
    /// Departments whose members may be others than before.
    regrouped: BTreeSet<String>,
}

impl<'a> Walk<'a> {
    fn new(ctx: &'a SyncContext, settings: &'a Settings, hr: HrClient, known: Known) -> Self {
        Self {
            ctx,
            settings,
            hr,
            known,
            regrouped: BTreeSet::new(),
        }
    }

    /// Looks at everything that changed since then, and says where the next look begins: where this one did, so that
    /// nothing is missed that changes meanwhile.
    async fn changes(&mut self, since: Option<&str>) -> Result<Option<String>> {
        let (hr, query) = (self.hr.clone(), json!({ "updated_since": since }));
        let mut people = hr.pages("employees/list", query.clone());
        while let Some(page) = people.next().await? {
            for employee in &page {
                self.employee(employee).await?;
            }
        }
        let mut notices = hr.pages("notices/list", query);
        while let Some(page) = notices.next().await? {
            for notice in &page {
                self.notice(notice).await?;
            }
        }
        Ok(people.as_of().map(str::to_owned))
    }

    async fn employee(&mut self, employee: &Employee) -> Result<()> {
        if !employee.is_covered(self.settings) {
            return self.not_here(employee).await;
        }
        let Some(email) = &employee.email else {
            self.ctx
                .skip(employee.profile_id(), "the person has no e-mail address");
            return self.not_here(employee).await;
        };
        if !self.ctx.source().admits(email.as_str()) {
            return self.not_here(employee).await;
        }
        if let Some(before) = self.known.add_person(employee, email) {
            self.person_gone(&before.email).await?;
            self.regroup([before.department]);
        }
        self.regroup([employee.department.clone()]);
        self.ctx.person(employee.person(email)).await?;
        self.ctx.upsert(employee.profile()).await?;
        Ok(())
    }

    /// Whoever does not belong to the directory is taken out of it.
    async fn not_here(&mut self, employee: &Employee) -> Result<()> {
        let id = employee.profile_id();
        if let Some(member) = self.known.remove_person(&id) {
            self.ctx.delete(id).await?;
            self.person_gone(&member.email).await?;
            self.regroup([member.department]);
        }
        Ok(())
    }

    async fn notice(&mut self, notice: &Notice) -> Result<()> {
        if !notice.withdrawn {
            self.known.add_notice(notice);
            self.ctx.upsert(notice.document(self.settings)).await?;
        } else if self.known.remove_notice(&notice.document_id()) {
            self.ctx.delete(notice.document_id()).await?;
        }
        Ok(())
    }

    /// Nobody has this address any more, unless somebody has.
    async fn person_gone(&self, email: &Email) -> Result<()> {
        if !self.known.has_address(email) {
            self.ctx.person_gone(email.as_str()).await?;
        }
        Ok(())
    }

    fn regroup(&mut self, departments: impl IntoIterator<Item = String>) {
        self.regrouped.extend(departments);
    }

    /// Sends the groups whose members are known only now, and saves where the next run begins.
    async fn finish(
        self,
        checkpoint: &mut Checkpoint<Cursor>,
        changed_since: Option<String>,
    ) -> Result<()> {
        for department in &self.regrouped {
            let address = self.settings.department_group(department);
            let group = Group::new(address, self.known.members(department)).name(department);
            self.ctx.group(group).await?;
        }
        **checkpoint = Cursor {
            changed_since,
            known: self.known,
        };
        checkpoint.save().await?;
        Ok(())
    }
}
