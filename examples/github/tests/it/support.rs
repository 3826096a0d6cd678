//! A fake GitHub behind the setup of `omni-connector-dev`, and what Omni must have in the end.

use std::{collections::BTreeMap, ops::Deref};

use omni_connector::{AuthType, prelude::*};
use omni_connector_dev::testing::{Ended, Setup, SetupBuilder};

use crate::{
    fake::{Fake, TOKEN},
    world::World,
};

pub(crate) struct Test {
    pub(crate) github: Fake,
    setup: Setup,
}

impl Deref for Test {
    type Target = Setup;

    fn deref(&self) -> &Setup {
        &self.setup
    }
}

/// A connector whose people sign in at `home`, and whose MCP server is at `mcp`.
pub(crate) fn connector(home: &Fake, mcp: &str) -> SetupBuilder {
    Setup::of(env!("CARGO_BIN_EXE_github"))
        .env("GITHUB_API_URL", &home.url)
        .env("GITHUB_MCP_URL", mcp)
        .auth_type(AuthType::BearerToken)
        .credentials(json!({ "token": TOKEN }))
}

impl Test {
    /// A source with two repositories. Nothing listens where the MCP server should.
    pub(crate) async fn start() -> Self {
        let github = Fake::start().await;
        fill(&mut github.world());
        let setup = connector(&github, "http://127.0.0.1:9/mcp")
            .config(json!({ "api_url": github.url }))
            .start()
            .await;
        Self { github, setup }
    }

    /// A run that completes, after which Omni has exactly what GitHub has.
    pub(crate) async fn completes(&self, mode: SyncType) -> Ended {
        let ended = self.sync(mode).await;
        assert_eq!(ended.message(), None);
        self.has_all().await;
        ended
    }

    /// Omni has every document of GitHub's, as it is there, for those who may read it, and no other one.
    pub(crate) async fn has_all(&self) {
        let found = self.documents().await;
        let expected = expected(&self.github.world());
        assert_eq!(found.ids(), expected.keys().collect::<Vec<_>>());
        for (id, (title, texts, group)) in &expected {
            let (found, text) = (&found[id], &found[id].text);
            assert_eq!(&found.title, title);
            for part in texts {
                assert!(text.contains(part), "{id} lacks `{part}`: {text}");
            }
            assert!(found.permissions.is_some(), "{id}");
            assert_eq!(found.is_public(), group.is_none(), "{id}");
            assert_eq!(found.groups(), group.iter().collect::<Vec<_>>(), "{id}");
        }
    }
}

/// Title, what is in the text, and the group of those who may read it.
fn expected(world: &World) -> BTreeMap<String, (String, Vec<String>, Option<String>)> {
    let mut expected = BTreeMap::new();
    for repo in world.repos.iter().filter(|repo| !repo.fork) {
        let name = &repo.name;
        let group = repo.private.then(|| format!("github:repo:{name}"));
        let texts = repo.readme.iter().cloned().collect();
        expected.insert(
            format!("github:repo:{name}"),
            (name.clone(), texts, group.clone()),
        );
        for (number, issue) in &repo.issues {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let of_item = repo
                .comments
                .iter()
                .flatten()
                .filter(|it| it["number"] == *number);
            let texts = of_item
                .map(|it| text(&it["body"]))
                .chain([text(&issue["body"])])
                .collect();
            let (kind, named) = if issue.get("pull_request").is_some() {
                ("pr", "PR")
            } else {
                ("issue", "Issue")
            };
            let title = format!("[{name}] {named} #{number}: {}", text(&issue["title"]));
            expected.insert(
                format!("github:{kind}:{name}#{number}"),
                (title, texts, group.clone()),
            );
        }
        for (number, it) in &repo.discussions {
            let title = format!(
                "[{name}] Discussion #{number}: {}",
                it["title"].as_str().unwrap()
            );
            expected.insert(
                format!("github:discussion:{name}#{number}"),
                (title, vec!["Not much.".to_owned()], group.clone()),
            );
        }
    }
    expected
}

/// A public and a private repository, some of everything in them, and a fork.
pub(crate) fn fill(world: &mut World) {
    world.add("acme/tea").readme = Some("# How to make tea".to_owned());
    world.add("acme/secret").private = true;
    world.add("acme/fork").fork = true;
    for repo in ["acme/tea", "acme/secret"] {
        for number in 1..=5 {
            world.issue(repo, number, &format!("Cup {number}"), Value::Null);
        }
        world.issue(
            repo,
            6,
            "Boil water",
            json!({ "merged_at": "2026-01-01T00:00:00Z" }),
        );
        world.issue(repo, 7, "Cool water", json!({ "merged_at": null }));
        world.discussion(repo, 8, "Milk?");
        world.discussion(repo, 9, "Sugar?");
        world.comment(repo, 1, "First of all.", None);
        world.comment(repo, 1, "Second to none.", None);
        world.comment(repo, 6, "Hot!", None);
        world.comment(repo, 6, "Not hot enough.", Some("kettle.rs"));
    }
}
