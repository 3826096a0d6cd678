//! An action whose arguments are declared one by one.

#[connector]
impl Acme {
    /// Create an issue.
    #[action(write, scopes = ["issues:write"], source_types = [Jira], timeout = 20)]
    async fn create_issue(
        &self,
        key: Credentials<ApiKey>,
        actor: Actor,
        /// Project key, such as `OPS`
        #[arg(pattern = "^[A-Z]+$", example = "OPS")]
        project: String,
        /// How urgent it is
        #[arg(default = 3, min = 1, max = 5)]
        priority: u8,
        /// At most fifty labels
        #[arg(default, max_items = 50)]
        labels: Vec<String>,
    ) -> Result<Issue> {
        self.post(key, actor, project, priority, labels).await
    }
}
