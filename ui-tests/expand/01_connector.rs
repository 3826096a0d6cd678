//! The struct: its keys become the trait impl.

/// Issues and comments of Acme Tracker.
#[connector(
    name = "acme",
    display_name = "Acme Tracker",
    source_types = [Jira, Confluence],
    sync_modes = [full, incremental],
    config = Settings,
    credentials = ApiKey,
    state = Cursor,
    actions = [reports::monthly],
    search_operators = [issues::project],
)]
struct Acme {
    http: HttpClient,
}
