//! The client of an API as an argument.

#[derive(Clone, FromCall)]
struct Tracker {
    api: Api,
}
