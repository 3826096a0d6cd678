//! A function outside the block, as an action of every connector that has its arguments.

/// Say who asks.
#[action(read)]
#[cfg(feature = "whoami")]
pub async fn whoami(
    actor: Option<Actor>,
    /// How to greet
    #[arg]
    greeting: String,
) -> Result<String> {
    Ok(greeting + &actor.map_or_else(String::new, |actor| actor.email))
}
