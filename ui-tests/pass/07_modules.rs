//! Functions of one name in several modules, with different wire names, and all kinds of visibility.

use omni_connector::prelude::*;

#[connector(
    name = "github",
    source_types = [Github],
    actions = [issues::list, pulls::list, pulls::more::count],
    search_operators = [issues::author, pulls::author],
)]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

mod issues {
    use omni_connector::prelude::*;

    pub struct Issue {
        pub author: Email,
    }

    /// List issues.
    #[action(read, name = "list_issues")]
    pub async fn list(_github: &super::Github) -> Result<Value> {
        Ok(json!([]))
    }

    #[search_operator]
    pub fn author(issue: &Issue) -> Email {
        issue.author.clone()
    }
}

mod pulls {
    use omni_connector::prelude::*;

    pub struct Pull {
        pub authors: Vec<Email>,
    }

    /// List pull requests.
    #[action(read, name = "list_pulls")]
    pub(crate) async fn list(ctx: Option<Source>) -> Result<Value> {
        Ok(json!(ctx.is_some()))
    }

    #[search_operator]
    pub(super) fn author(pull: &Pull) -> &[Email] {
        &pull.authors
    }

    pub mod more {
        use omni_connector::prelude::*;

        /// Count pull requests.
        #[action(read)]
        pub(in super::super) async fn count(manager: ManagerClient, source_type: SourceType) -> Result<usize> {
            Ok(manager.sources_by_type(source_type).await?.len())
        }
    }
}

fn main() {
    let names: Vec<_> = Github.actions().into_iter().map(|action| action.name).collect();
    assert_eq!(names, ["list_issues", "list_pulls", "count"]);
    // Two items are read into one attribute, which is one operator for people.
    assert_eq!(Github.search_operators().len(), 1);
    let issue = issues::Issue { author: Email::parse("ann@example.com").unwrap() };
    let pull = pulls::Pull { authors: vec![issue.author.clone()] };
    let operators = Github.operators();
    assert_eq!(
        omni_connector::Operator::attributes(&operators, &issue)["author"],
        "ann@example.com"
    );
    assert_eq!(
        omni_connector::Operator::attributes(&operators, &pull)["author"],
        json!(["ann@example.com"])
    );
}
