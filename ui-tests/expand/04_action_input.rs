//! An action that takes all of its input as one struct.

#[connector]
impl Acme {
    /// Find issues.
    #[action(read, name = "find", hidden, admin_only)]
    async fn find_issues(&self, Args(query): Args<Query>) -> Result<Vec<Issue>> {
        self.query(query).await
    }
}
