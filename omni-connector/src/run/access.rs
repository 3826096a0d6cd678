//! The readers of a document: known, or unknown with a cause. A document with unknown readers is never sent.

use std::{collections::BTreeSet, fmt::Display};

use super::groups::Groups;
use crate::wire::DocumentPermissions;

/// The readers of a document: known, or unknown with a cause.
///
/// A document with unknown access is not sent. Omni keeps its version of it, and the document is a failed item of the
/// run. So a failed look-up never becomes "everybody" or "nobody".
///
/// [`narrow`](Self::narrow) joins rules that must all be met. One unknown rule makes the result unknown.
///
/// ```
/// use omni_connector::{Access, prelude::*};
///
/// # struct Page { id: String }
/// # async fn restriction(_: &Page) -> Result<Option<Vec<String>>> { Ok(None) }
/// # async fn example(ctx: SyncContext, page: Page) -> Result<()> {
/// let space = Access::groups(["space-ops@example.com"]);
/// let own = match restriction(&page).await {
///     Ok(Some(people)) => Access::users(people),
///     Ok(None) => Access::public(),
///     Err(error) => Access::unknown(error),
/// };
/// ctx.upsert(Document::new(&page.id, space.narrow(own)).title("Runbook")).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "access does nothing until a document is made with it"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access(Rules);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rules {
    /// All of them must be met.
    All(Vec<DocumentPermissions>),
    Unknown(String),
}

impl Access {
    /// Allows everybody in the company.
    pub fn public() -> Self {
        DocumentPermissions::public().into()
    }

    /// Allows these people, by their e-mail addresses.
    pub fn users(users: impl IntoIterator<Item = impl Into<String>>) -> Self {
        DocumentPermissions::users(users).into()
    }

    /// Allows the members of these groups, by group address or mail domain.
    pub fn groups(groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        DocumentPermissions::private().and_groups(groups).into()
    }

    /// Allows nobody.
    pub fn nobody() -> Self {
        DocumentPermissions::private().into()
    }

    /// Makes an unknown access, with the reason why it could not be determined.
    pub fn unknown(cause: impl Display) -> Self {
        Self(Rules::Unknown(cause.to_string()))
    }

    /// Allows only the readers that both rules allow.
    ///
    /// A person of one rule can be compared with a group of the other when its members are known. Send them with
    /// [`SyncContext::members`](super::SyncContext::members) before the document. Otherwise the access is unknown.
    pub fn narrow(self, other: impl Into<Self>) -> Self {
        match (self.0, other.into().0) {
            (Rules::Unknown(cause), _) | (_, Rules::Unknown(cause)) => Self(Rules::Unknown(cause)),
            (Rules::All(mut all), Rules::All(others)) => {
                for rule in others {
                    if !rule.public && !all.contains(&rule) {
                        all.push(rule);
                    }
                }
                Self(Rules::All(all))
            }
        }
    }

    /// Returns why the access is unknown, if it is.
    pub fn cause(&self) -> Option<&str> {
        match &self.0 {
            Rules::Unknown(cause) => Some(cause),
            Rules::All(_) => None,
        }
    }

    /// Returns the resolved readers, for a version that changes with them.
    pub(super) fn readers(&self) -> &[DocumentPermissions] {
        match &self.0 {
            Rules::All(rules) => rules,
            Rules::Unknown(_) => &[],
        }
    }

    /// Returns the resolved readers.
    pub(super) fn into_permissions(self) -> DocumentPermissions {
        match self.0 {
            Rules::All(mut rules) if rules.len() == 1 => rules.pop(),
            _ => None,
        }
        .unwrap_or_else(DocumentPermissions::private)
    }

    /// Resolves the readers to permissions. Returns the reason if they are unknown.
    pub(super) fn resolve(self, groups: &Groups) -> Result<DocumentPermissions, String> {
        let rules = match self.0 {
            Rules::Unknown(cause) => return Err(cause),
            Rules::All(rules) => rules,
        };
        let mut rules = rules.into_iter();
        let Some(first) = rules.next() else {
            return Ok(DocumentPermissions::public());
        };
        rules.try_fold(first, |all, rule| both(all, rule, groups))
    }
}

/// Converts the result of a look-up. An error makes the access unknown.
impl<E: Display> From<Result<DocumentPermissions, E>> for Access {
    fn from(found: Result<DocumentPermissions, E>) -> Self {
        match found {
            Ok(permissions) => permissions.into(),
            Err(cause) => Self::unknown(format_args!("{cause:#}")),
        }
    }
}

impl From<DocumentPermissions> for Access {
    fn from(permissions: DocumentPermissions) -> Self {
        Self(Rules::All(vec![permissions]))
    }
}

/// Returns the readers that both rules allow.
fn both(
    mut a: DocumentPermissions,
    mut b: DocumentPermissions,
    groups: &Groups,
) -> Result<DocumentPermissions, String> {
    if a.public {
        return Ok(b);
    }
    if b.public {
        return Ok(a);
    }
    a.normalize();
    b.normalize();
    let set = |names: Vec<String>| names.into_iter().collect::<BTreeSet<_>>();
    let [a_users, a_groups] = [a.users, a.groups].map(set);
    let [b_users, b_groups] = [b.users, b.groups].map(set);
    let shared: BTreeSet<_> = a_groups.intersection(&b_groups).cloned().collect();
    let mut users: BTreeSet<_> = a_users.intersection(&b_users).cloned().collect();
    for (people, theirs) in [(&a_users, &b_groups), (&b_users, &a_groups)] {
        for person in people {
            if !users.contains(person) && is_in_any(person, theirs, groups)? {
                users.insert(person.clone());
            }
        }
    }
    // Two different groups share the people who are in both.
    let others: Vec<_> = b_groups.difference(&shared).collect();
    for group in a_groups.difference(&shared) {
        for other in &others {
            let (members, of) = match (groups.members(group), groups.members(other)) {
                (Some(members), _) => (members, *other),
                (None, Some(members)) => (members, group),
                (None, None) => return Err(unknown_members(group)),
            };
            for member in members.iter() {
                if !users.contains(&**member) && is_in(member, of, groups)? {
                    users.insert(member.to_string());
                }
            }
        }
    }
    Ok(DocumentPermissions {
        public: false,
        users: users.into_iter().collect(),
        groups: shared.into_iter().collect(),
    })
}

fn is_in_any(person: &str, names: &BTreeSet<String>, groups: &Groups) -> Result<bool, String> {
    let mut outcome = Ok(false);
    for group in names {
        match is_in(person, group, groups) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(cause) => outcome = Err(cause),
        }
    }
    outcome
}

fn is_in(person: &str, group: &str, groups: &Groups) -> Result<bool, String> {
    if person
        .rsplit_once('@')
        .is_some_and(|(_, domain)| domain == group)
    {
        return Ok(true);
    }
    match groups.members(group) {
        Some(members) => Ok(members.iter().any(|member| **member == *person)),
        None if is_domain(group) => Ok(false),
        None => Err(unknown_members(group)),
    }
}

fn unknown_members(group: &str) -> String {
    format!(
        "two rules say who may read it, and the members of the group `{group}`, which tell who meets both, are unknown\n\
         help: send them with `ctx.members` before the document"
    )
}

/// Returns whether a group's name can be a mail domain. Omni knows a domain's people without a list.
pub(super) fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.contains('.') && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Members;

    fn readers(access: Access, groups: &Groups) -> Result<(Vec<String>, Vec<String>), String> {
        let found = access.resolve(groups)?;
        assert!(!found.public);
        Ok((found.users, found.groups))
    }

    fn known() -> Groups {
        let groups = Groups::default();
        for (group, members) in [
            ("ops@x.org", vec!["ann@x.org", "bob@x.org"]),
            ("dev@x.org", vec!["bob@x.org", "cyd@y.org"]),
        ] {
            groups.send(
                group,
                Some(&members.into_iter().map(str::to_owned).collect::<Vec<_>>()),
            );
        }
        groups
    }

    #[test]
    fn only_readers_that_every_rule_allows_may_read() {
        let groups = &known();
        let ops = || Access::groups(["Ops@x.org"]);
        assert_eq!(
            readers(
                ops().narrow(Access::users(["ANN@x.org", "cyd@y.org"])),
                groups
            ),
            Ok((vec!["ann@x.org".to_owned()], vec![]))
        );
        assert_eq!(
            readers(ops().narrow(Access::groups(["dev@x.org"])), groups),
            Ok((vec!["bob@x.org".to_owned()], vec![]))
        );
        let both = Access::groups(["ops@x.org", "dev@x.org"]).narrow(ops());
        let (users, kept) = readers(both, groups).unwrap();
        assert_eq!(
            (users, kept),
            // Bob is in both groups, so the remaining group still gives him access.
            (vec![], vec!["ops@x.org".to_owned()])
        );
        assert_eq!(
            readers(
                Access::groups(["dev@x.org"]).narrow(Access::groups(["y.org"])),
                groups
            ),
            Ok((vec!["cyd@y.org".to_owned()], vec![]))
        );
        assert_eq!(
            readers(ops().narrow(Access::nobody()), groups),
            Ok((vec![], vec![]))
        );
        assert_eq!(
            ops().narrow(Access::public()).resolve(groups),
            ops().resolve(groups)
        );
    }

    #[test]
    fn one_unknown_rule_makes_the_access_unknown() {
        let groups = &known();
        let broken = || Access::unknown("503");
        for access in [
            broken().narrow(Access::public()),
            Access::public().narrow(broken()),
            Access::nobody()
                .narrow(broken())
                .narrow(Access::users(["ann@x.org"])),
            Access::from(Err::<DocumentPermissions, _>("503")),
        ] {
            assert_eq!(access.resolve(groups), Err("503".to_owned()));
        }
        let stranger = Access::groups(["hr@x.org"]).narrow(Access::users(["ann@x.org"]));
        assert!(stranger.resolve(groups).unwrap_err().contains("`hr@x.org`"));
    }

    #[test]
    fn unknown_members_make_the_access_unknown() {
        let groups = known();
        groups.send("ops@x.org", None);
        let access = Access::groups(["ops@x.org"]).narrow(Access::users(["ann@x.org"]));
        assert!(access.resolve(&groups).is_err());
        let _: Members = Members::unknown("503");
    }
}
