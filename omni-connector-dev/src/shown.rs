//! The paths at which a manager shows what its store has. Tests walk them, and search the answers for secrets. It must list
//! every route of the page and under `/dev/api` that shows something.

/// What is looked at. Each value is written as in a URL.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The id of a source.
    pub source: &'a str,
    /// The id of a run, and of one to compare it with.
    pub runs: [&'a str; 2],
    /// The id of a document.
    pub document: &'a str,
    /// A word to search for.
    pub word: &'a str,
    /// The name of an action.
    pub action: &'a str,
    /// The id of a call of the run; none if its requests are not kept.
    pub call: Option<&'a str>,
}

impl Shown<'_> {
    /// Returns the paths of the development page, which answer a browser with HTML and a program with JSON.
    pub fn pages(&self) -> Vec<String> {
        let Self {
            runs: [run, earlier],
            document,
            word,
            action,
            call,
            ..
        } = self;
        let panes = [
            "source",
            "sync",
            "requests",
            "documents",
            "actions",
            "contract",
        ];
        let mut paths = panes.map(|pane| format!("/dev/{pane}")).to_vec();
        paths.extend([
            format!("/dev/sync/compare?run={earlier}&with={run}"),
            format!("/dev/sync?run={run}"),
            format!("/dev/documents?q={word}"),
            format!("/dev/documents?doc={document}"),
            format!("/dev/documents?tab=why&item={document}"),
            "/dev/documents?tab=groups".to_owned(),
            "/dev/documents?tab=people".to_owned(),
            "/dev/contract/manifest".to_owned(),
            format!("/dev/actions?action={action}"),
            format!("/dev/go?go={word}"),
        ]);
        if let Some(call) = call {
            paths.extend([
                format!("/dev/requests?run={run}"),
                format!("/dev/requests?run={run}&call={call}"),
                format!("/dev/requests/tape?run={run}"),
            ]);
        }
        paths
    }

    /// Returns the paths that answer programs with JSON, also without the page.
    pub fn answers(&self) -> Vec<String> {
        let Self {
            source,
            runs: [run, _],
            word,
            ..
        } = self;
        vec![
            "/dev/api/registration".to_owned(),
            "/dev/api/sources".to_owned(),
            format!("/dev/api/sources/{source}"),
            format!("/dev/api/runs/{run}"),
            format!("/dev/api/runs/{run}/refusals?limit=9"),
            format!("/dev/api/runs/{run}/textless?limit=9"),
            format!("/dev/api/runs/{run}/file-notes"),
            "/dev/api/sign-ins".to_owned(),
            format!("/dev/api/search?text={word}&limit=9"),
        ]
    }
}
