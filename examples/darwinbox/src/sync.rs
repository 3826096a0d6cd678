//! Syncs people and lists. Darwinbox answers each list as a whole, so every run sees everything, and sends the changes.

use std::collections::{BTreeMap, BTreeSet};

use omni_connector::{Walk, prelude::*};

use crate::{
    Darwinbox,
    credentials::SIGN_IN,
    cursor::Cursor,
    employees::{Employee, Everybody},
    hr::{EMPLOYEES, Hr, is_denied},
    kinds::{HISTORIES, HOLIDAY, Kind, LISTS},
    lists::{Entry, hash, readers, slug, slug_of, tell_apart},
    record::Record,
    settings::Settings,
};

/// The possible names of a list in an answer.
const NAMES: &[&str] = &["data", "output", "records", "result", "results"];
/// The number of employees in one request.
const AT_A_TIME: usize = 100;
const DENIED: &str = "the key of the source may not use the endpoint of this list";

#[connector]
impl Darwinbox {
    /// Finds an invalid credential before a run begins. Other errors may be over when the run needs the connection.
    #[validate]
    async fn key_works(&self, hr: Hr) -> Result<()> {
        let nobody = (EMPLOYEES, json!({ "employee_ids": ["0"] }));
        let lists = LISTS.iter().map(|kind| (kind.path, query(kind)));
        for (path, query) in [nobody].into_iter().chain(lists) {
            match hr.read(path, query).await {
                // A key may have access to only some of the endpoints.
                Err(error) if is_denied(&error) => {}
                Err(
                    error @ (SourceError::Unauthorized { .. }
                    | SourceError::Forbidden { .. }
                    | SourceError::Refused { .. }),
                ) if error.at().is_some_and(|at| at.operation == SIGN_IN) => {
                    return Err(error.into());
                }
                _ => return Ok(()),
            }
        }
        let message = "Darwinbox refuses the credential at every endpoint; check user, password and keys of the source";
        Err(ActionError::unauthorized(message).into())
    }

    #[sync]
    async fn everything(
        &self,
        settings: Config<Settings>,
        hr: Hr,
        mut checkpoint: Checkpoint<Cursor>,
        ctx: SyncContext,
    ) -> Result<()> {
        let last = checkpoint.last()?.unwrap_or_default();
        let everybody = match hr.everybody().await {
            Ok(everybody) => Some(everybody),
            Err(error) if is_denied(&error) => {
                ctx.skip("people", DENIED);
                None
            }
            Err(error) => return Err(error.into()),
        };
        checkpoint
            .synced_person_emails
            .extend(last.synced_person_emails);
        if let Some(everybody) = &everybody {
            people(everybody, &mut checkpoint, &ctx).await?;
        }
        let run = Run {
            walk: checkpoint.documents.walk(&ctx),
            documents: &checkpoint.documents,
            hr: &hr,
            ctx: &ctx,
            is_first_after_omnis: last.is_omnis,
        };
        run.lists(everybody.as_ref(), settings.today().year())
            .await?;
        Ok(checkpoint.save().await?)
    }
}

/// Returns the body that requests a list.
fn query(kind: &Kind) -> Value {
    match kind.name {
        "position" => json!({ "status": 0, "need_to_hire": 2 }),
        _ => json!({}),
    }
}

/// Sends all people with an address, and deletes those who are gone.
async fn people(
    everybody: &Everybody,
    checkpoint: &mut Checkpoint<Cursor>,
    ctx: &SyncContext,
) -> Result<()> {
    let current = one_record_each(everybody, ctx);
    let known = checkpoint.synced_person_emails.clone();
    // Saved before they are sent, so that a run knows everybody in Omni.
    checkpoint
        .synced_person_emails
        .extend(current.keys().cloned());
    checkpoint.save().await?;
    for (address, (employee, email)) in &current {
        let (person, odd) = employee.person(email);
        if !odd.is_empty() {
            let reason = "a date of the record cannot be read, so the person is sent without it";
            ctx.skip_with(address, reason, odd.join(", "));
        }
        ctx.person(person).await?;
        ctx.increment_scanned(1).await?;
    }
    if everybody.unread > 0 {
        let cause = format!(
            "{} records have no `employee_id`, so nobody is gone by this answer",
            everybody.unread
        );
        ctx.item_failed("people", cause, None);
        return Ok(());
    }
    let mut listing = ctx.listing(known);
    for email in current.keys() {
        listing.saw(email);
    }
    let deletions = ctx.delete_unseen_people(listing.finish()?).await?;
    checkpoint.synced_person_emails = current.into_keys().chain(deletions.held_back).collect();
    Ok(())
}

/// Returns one record for each address and number. Among several, the active or last changed one counts.
fn one_record_each<'a>(
    everybody: &'a Everybody,
    ctx: &SyncContext,
) -> BTreeMap<String, (&'a Employee, &'a Email)> {
    let mut employees: Vec<_> = everybody.employees.iter().collect();
    employees.sort_by_key(|employee| std::cmp::Reverse((employee.is_active(), employee.changed())));
    let (mut numbers, mut current) = (BTreeSet::new(), BTreeMap::new());
    for employee in employees {
        let Some(email) = &employee.email else {
            ctx.skip(&employee.id, "the person has no e-mail address");
            continue;
        };
        if !ctx.source().admits(email.as_str()) {
            ctx.skip(&employee.id, "the source leaves this person out");
        } else if current.contains_key(email.as_str()) || !numbers.insert(&employee.id) {
            ctx.skip(
                &employee.id,
                "another record has the same e-mail address or number",
            );
        } else {
            current.insert(email.to_string(), (employee, email));
        }
    }
    current
}

/// The entries of a list, and the number of unreadable records.
#[derive(Default)]
struct Found {
    entries: Vec<Entry>,
    unread: usize,
}

/// A walk over all lists.
struct Run<'a> {
    walk: Walk<Value>,
    documents: &'a Inventory<Value>,
    hr: &'a Hr,
    ctx: &'a SyncContext,
    /// Whether Omni's own connector made the documents in Omni.
    is_first_after_omnis: bool,
}

impl Run<'_> {
    async fn lists(mut self, everybody: Option<&Everybody>, year: i32) -> Result<()> {
        for kind in &LISTS {
            let found = self.list(kind).await;
            self.settle(kind, &Part::prefix(kind.id()), found).await?;
        }
        let Some(everybody) = everybody else {
            for kind in HISTORIES.iter().chain([&HOLIDAY]) {
                self.walk.keep_part(&Part::prefix(kind.id()));
            }
            return self.finish().await;
        };
        for kind in &HISTORIES {
            let found = self.history(kind, everybody).await;
            self.settle(kind, &Part::prefix(kind.id()), found).await?;
        }
        let years = [year, year + 1].map(|year| format!("{}{year}-", HOLIDAY.id()));
        for id in self.documents.ids_in(&Part::prefix(HOLIDAY.id())) {
            if !years.iter().any(|year| id.starts_with(year)) {
                self.walk.keep(&id);
            }
        }
        for (year, prefix) in [year, year + 1].into_iter().zip(years) {
            let found = self.holidays(everybody, year).await;
            self.settle(&HOLIDAY, &Part::prefix(prefix), found).await?;
        }
        self.finish().await
    }

    async fn finish(self) -> Result<()> {
        self.walk
            .finish(Walked::declared(
                "each list is one answer, and those without one are kept",
            ))
            .await?;
        Ok(())
    }

    /// Sends the entries of a part. If records were unreadable, all known documents of the part are kept.
    async fn settle(
        &mut self,
        kind: &Kind,
        part: &Part,
        found: Result<Found, SourceError>,
    ) -> Result<()> {
        let Found { entries, unread } = match found {
            Ok(found) => found,
            Err(SourceError::Cancelled) => return Err(SourceError::Cancelled.into()),
            Err(error) if is_denied(&error) => {
                self.ctx.skip(kind.name, DENIED);
                self.walk.keep_part(part);
                return Ok(());
            }
            Err(error) => {
                self.walk.part_failed(part, error, None);
                return Ok(());
            }
        };
        if unread > 0 {
            let cause = format!(
                "`POST {}`: {unread} records have no name or number, or are no objects",
                kind.path
            );
            self.walk.part_failed(part, cause, None);
        }
        for entry in tell_apart(entries) {
            let version = entry.version();
            if !self.walk.is_current(&entry.id, &version) {
                self.walk.upsert(entry.document(), &version).await?;
            }
        }
        Ok(())
    }

    async fn list(&self, kind: &'static Kind) -> Result<Found, SourceError> {
        let mut found = Found::default();
        for value in self.hr.list(kind.path, query(kind), NAMES).await? {
            match Record::of(value).and_then(|record| Some((slug_of(&record)?, record))) {
                Some((slug, record)) => {
                    let readers = readers(kind, &record);
                    found
                        .entries
                        .push(Entry::new(kind, &record, &slug, readers));
                }
                None => found.unread += 1,
            }
        }
        Ok(found)
    }

    /// Sends the history of all employees, which the person and the manager may see.
    async fn history(
        &mut self,
        kind: &'static Kind,
        everybody: &Everybody,
    ) -> Result<Found, SourceError> {
        let by_id: BTreeMap<_, _> = everybody
            .employees
            .iter()
            .map(|employee| (employee.id.clone(), employee))
            .collect();
        let ids: Vec<_> = by_id.keys().collect();
        let mut found = Found::default();
        for some in ids.chunks(AT_A_TIME) {
            let query = json!({ "employee_number": some });
            for (at, row) in self.hr.table(kind.path, query).await?.iter().enumerate() {
                let (employee, from) = (row.text("Employee ID"), row.text("From"));
                let slug = match (&employee, from) {
                    (Some(employee), Some(from)) => slug(&format!("{employee}:{from}")),
                    (employee, _) => {
                        self.forget_place(kind, employee.as_deref(), at);
                        let employee = employee.as_deref().unwrap_or("row");
                        format!("{}~{:016x}", slug(employee), hash(&row.canonical()))
                    }
                };
                let employee = employee.and_then(|id| by_id.get(id.trim()));
                let manager = employee.and_then(|employee| by_id.get(&employee.manager_id()?));
                let readers = employee
                    .into_iter()
                    .chain(manager)
                    .filter_map(|reader| reader.email.clone());
                let readers = DocumentPermissions::users(readers);
                found.entries.push(Entry::new(kind, row, &slug, readers));
            }
        }
        Ok(found)
    }

    /// Deletes the document of a row that Omni's own connector identified by its position, which changes. Everybody can
    /// see that document.
    fn forget_place(&mut self, kind: &Kind, employee: Option<&str>, at: usize) {
        if self.is_first_after_omnis {
            let place = employee.map_or_else(
                || format!("row:{at}"),
                |employee| slug(&format!("{employee}:{at}")),
            );
            drop(self.walk.delete(&format!("{}{place}", kind.id())));
        }
    }

    /// Requests the holidays of every office in one year, each by an employee of that office.
    async fn holidays(&self, everybody: &Everybody, year: i32) -> Result<Found, SourceError> {
        let mut offices = BTreeMap::new();
        let mut employees: Vec<_> = everybody.employees.iter().collect();
        employees.sort_by_key(|employee| (!employee.is_active(), &employee.id));
        for employee in employees {
            let office = (
                employee.text("office_country"),
                employee.text("office_area"),
            );
            offices.entry(office).or_insert(&employee.id);
        }
        let mut found = Found::default();
        for employee in offices.into_values() {
            let query = json!({ "employee_no": employee, "year": year.to_string() });
            for value in self.hr.list(HOLIDAY.path, query, &["holidays"]).await? {
                let record = Record::of(value);
                let named = record
                    .and_then(|record| Some((record.text("date")?, record.text("name")?, record)));
                match named {
                    Some((date, name, record)) => {
                        let slug = slug(&format!("{date}-{name}"));
                        found.entries.push(Entry::new(
                            &HOLIDAY,
                            &record,
                            &slug,
                            DocumentPermissions::public(),
                        ));
                    }
                    None => found.unread += 1,
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use omni_connector_dev::testing;

    use super::*;

    #[tokio::test]
    async fn of_two_records_with_one_address_the_active_one_counts_and_the_report_has_the_other() {
        let record = |id: &str, email: &str, status: &str| {
            let record =
                json!({ "employee_id": id, "company_email_id": email, "employee_status": status });
            Employee::of(Record::of(record).unwrap()).unwrap()
        };
        let everybody = Everybody {
            employees: vec![
                record("E1", "Bob@Example.com", "Inactive"),
                record("E9", "bob@example.com", "Active"),
                record("E3", " ", "Active"),
            ],
            unread: 0,
        };
        let (ctx, collected) = testing::context().connector(&Darwinbox).await;
        for (employee, email) in one_record_each(&everybody, &ctx).into_values() {
            ctx.person(employee.person(email).0).await.unwrap();
        }
        let people = collected.people().await;
        let people = people
            .iter()
            .map(|it| (it.external_id.as_str(), it.email.as_str()));
        assert_eq!(people.collect::<Vec<_>>(), [("E9", "bob@example.com")]);
        let skips = collected.report().await.skips;
        let skips = skips
            .iter()
            .map(|it| (it.item.as_str(), it.reason.as_str()));
        let expected = [
            ("E3", "the person has no e-mail address"),
            ("E1", "another record has the same e-mail address or number"),
        ];
        assert_eq!(skips.collect::<Vec<_>>(), expected);
    }
}
