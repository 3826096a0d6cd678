//! The GraphQL API of Exemplar: how it signs in, and its queries.

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

/// The fields of an issue that the connector reads.
const FIELDS: &str = "
    fragment Fields on Issue {
        id
        #> field=title
        title
        #<
        #> field=text
        text
        #<
        #> field=url
        url
        #<
        #> field=status
        status
        #<
        #> field=updated_at
        updated_at: updatedAt
        #<
        #> access=groups
        team
        #<
        #> access=item
        readers
        #<
    }";

/// A page of issues.
const ISSUES: &str = "
    query(
        #> incremental=time
        $since: DateTime
        #<
        $after: String
    ) {
        issues(
            #> incremental=time
            updatedSince: $since
            #<
            first: 100
            after: $after
        ) {
            nodes { ...Fields }
            pageInfo { hasNextPage endCursor }
        }
    }";

//> access=groups
/// A page of teams.
const TEAMS: &str = "
    query($after: String) {
        teams(first: 100, after: $after) {
            nodes { email members }
            pageInfo { hasNextPage endCursor }
        }
    }";

//<
//> action=create
/// Creates an issue.
const CREATE: &str = "
    mutation($title: String!, $text: String!) {
        createIssue(title: $title, text: $text) { ...Fields }
    }";

//<
/// The API of one source. All runs and actions of a source share its pace.
#[derive(Clone, FromCall)]
pub struct Client {
    api: Api,
}

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

impl Client {
    //> incremental=none
    /// Lists all issues.
    pub(crate) fn issues(&self) -> Pages<Issue> {
        self.api.graphql([ISSUES, FIELDS].concat()).pages("/issues")
    }
    //<
    //> incremental=time

    /// Lists the issues that were changed at or after a time, or all.
    pub(crate) fn issues_since(&self, since: Option<OffsetDateTime>) -> Pages<Issue> {
        self.api
            .graphql([ISSUES, FIELDS].concat())
            .variable("since", since.map(Timestamp))
            .pages("/issues")
    }
    //<
    //> action=create

    /// Creates an issue.
    pub(crate) async fn create_issue(&self, title: &str, text: &str) -> Result<Issue> {
        let call = self.api.graphql([CREATE, FIELDS].concat());
        let call = call.variable("title", title).variable("text", text);
        let created = call.read("/createIssue").await?;
        created.context("Exemplar created nothing")
    }
    //<
    //> access=groups

    /// Sends the teams that may read issues, with their members.
    pub(crate) async fn send_teams(&self, ctx: &SyncContext) -> Result<()> {
        let teams = self.api.graphql(TEAMS).pages::<Team>("/teams");
        for team in teams.all().await? {
            let members = team.members.context("Exemplar does not show its members");
            ctx.members(team.email, members).await?;
        }
        Ok(())
    }
    //<
}
//> access=groups

/// People who may read the same issues.
#[derive(Debug, Deserialize)]
struct Team {
    email: String,
    members: Option<Vec<String>>,
}
//<
