//! `cargo omni kill`: has the connector of `cargo omni dev` die as in a crash, now or at a moment of a run.

use clap::Args;
use serde_json::json;

use super::{
    Code, Failure, Interrupts, Output,
    page::{Place, Use, with_page},
};

/// Kill the connector that `cargo omni dev` runs, now or in a run, which is then resumed
#[derive(Debug, Args)]
#[command(after_help = "\
  cargo omni kill
  cargo omni kill --after 40     in this or the next run, when it has sent 40 documents")]
pub(super) struct Arguments {
    /// Kill it when a run has sent this number of documents
    #[arg(long, value_name = "N", group = "moment", value_parser = clap::value_parser!(u64).range(1..))]
    after: Option<u64>,
    /// Kill it when a run saves its next checkpoint
    #[arg(long, group = "moment")]
    at_checkpoint: bool,
    /// Kill it at a random instant of a run
    #[arg(long, group = "moment")]
    at_random: bool,
    /// Withdraw the planned kill
    #[arg(long, group = "moment")]
    withdraw: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let documents = arguments.after.unwrap_or_default().to_string();
    let at = if arguments.after.is_some() {
        "documents"
    } else if arguments.at_checkpoint {
        "checkpoint"
    } else if arguments.at_random {
        "random"
    } else if arguments.withdraw {
        "never"
    } else {
        "now"
    };
    with_page(&arguments.place, Use::Read, interrupts, async |page| {
        let mut fields = vec![("at", at)];
        if arguments.after.is_some() {
            fields.push(("documents", documents.as_str()));
        }
        let done = page.send("sync/kill", &fields).await?;
        output.result(&json!({ "done": done }), format!("{done}\n"));
        Ok(Code::Done)
    })
    .await
}
