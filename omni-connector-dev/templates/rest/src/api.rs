//! The API of Exemplar: how it signs in, how its lists end, and its calls.

use omni_connector::{http::Pages, prelude::*};
//> auth=none
use serde::de::IgnoredAny;
//<

use crate::{
    Issue,
    //> auth=key|bearer|basic|oauth
    Login,
    //<
    Settings,
};

/// The API of one source. All runs and actions of a source share its pace.
#[derive(Clone, FromCall)]
pub struct Client {
    api: Api,
}

//> template
mod open {
    use super::{Api, ApiClient, FromCall, IgnoredAny, Result, Settings};

    #[allow(dead_code, reason = "another variant of the client runs")]
    #[derive(Clone, FromCall)]
    pub struct Client {
        api: Api,
    }
    //<
    //> auth=none
    impl ApiClient for Client {
        type Config = Settings;
        type Credentials = IgnoredAny;

        fn connect(settings: &Settings, _: &IgnoredAny) -> Result<Self> {
            Ok(Self {
                api: Api::at(&settings.api_url),
            })
        }
    }
    //<
    //> template
}
//<
//> auth=key|bearer|basic|oauth
impl ApiClient for Client {
    type Config = Settings;
    type Credentials = Login;

    fn connect(settings: &Settings, login: &Login) -> Result<Self> {
        //> auth=oauth
        let auth = Auth::bearer(&login.access_token);
        //<
        //> auth=basic
        let auth = Auth::basic(&login.user, &login.password);
        //<
        //> auth=bearer
        let auth = Auth::bearer(&login.token);
        //<
        //> auth=key
        let auth = Auth::header("x-api-key", &login.api_key);
        //<
        Ok(Self {
            api: Api::at(&settings.api_url).auth(auth),
        })
    }
}
//<

/// How the lists of Exemplar end. The source of the tests pages with the same value.
pub fn paging() -> Paging {
    //> template
    let whole = || {
        //<
        //> paging=none
        Paging::single()
        //<
        //> template
    };
    //<
    //> paging=offset
    let end = Paging::offset("offset").until_empty();
    //<
    //> paging=page
    let end = Paging::page_number("page").until_empty();
    //<
    //> paging=link-header
    let end = Paging::link_header();
    //<
    //> paging=next-url
    let end = Paging::next_url("/next");
    //<
    //> paging=token
    let end = Paging::cursor("/next").param("cursor");
    //<
    //> paging=token|next-url|link-header|page|offset
    end.size("limit", 100)
    //<
}

impl Client {
    //> incremental=none
    /// Lists all issues.
    pub(crate) fn issues(&self) -> Pages<Issue> {
        self.api.get("issues").pages(paging()).items("/issues")
    }
    //<
    //> incremental=token

    /// The token of what will change from now on.
    pub(crate) async fn changes_token(&self) -> Result<String> {
        let changes: Changes = self.api.get("issues/token").read().await?;
        Ok(changes.token)
    }

    /// Lists the issues that were changed since a token was taken, or all.
    pub(crate) fn issues_changed(&self, since: Option<&String>) -> Pages<Issue> {
        let call = self.api.get("issues");
        call.query(&[("since_token", since)])
            .pages(paging())
            .items("/issues")
    }
    //<
    //> incremental=time

    /// Lists the issues that were changed at or after a time, or all.
    pub(crate) fn issues_since(&self, since: Option<OffsetDateTime>) -> Pages<Issue> {
        let call = self.api.get("issues");
        call.query(&[("updated_since", since.map(Timestamp))])
            .pages(paging())
            .items("/issues")
    }
    //<
    //> action=create

    /// Creates an issue.
    pub(crate) async fn create_issue(&self, title: &str, text: &str) -> Result<Issue> {
        let body = json!({ "title": title, "text": text });
        Ok(self.api.post("issues").json(&body).read().await?)
    }
    //<
    //> access=groups

    /// Sends the teams that may read issues, with their members.
    pub(crate) async fn send_teams(&self, ctx: &SyncContext) -> Result<()> {
        let teams = self
            .api
            .get("teams")
            .pages(paging())
            .items::<Team>("/teams");
        for team in teams.all().await? {
            let members = team.members.context("Exemplar does not show its members");
            ctx.members(team.email, members).await?;
        }
        Ok(())
    }
    //<
}
//> incremental=token

/// Where the changes of the list begin.
#[derive(Debug, Deserialize)]
struct Changes {
    token: String,
}
//<
//> access=groups

/// People who may read the same issues.
#[derive(Debug, Deserialize)]
struct Team {
    email: String,
    members: Option<Vec<String>>,
}
//<
