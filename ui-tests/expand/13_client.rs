#[derive(Clone, FromCall)]
struct Tracker {
    api: Api,
}
