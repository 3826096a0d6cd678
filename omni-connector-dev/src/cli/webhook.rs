//! `cargo omni webhook`: calls a webhook of the connector that `cargo omni dev` runs, with a signature.

use std::{fmt, path::PathBuf};

use clap::Args;
use console::style;
use serde_json::Value;

use super::{
    Code, Failure, Interrupts, Output,
    checkpoint::read,
    output::{printable, printable_lines},
    page::{Place, Use, part, with_page},
};
use crate::rules::Delivered;

/// Call a webhook of the connector that `cargo omni dev` runs, as another system would
#[derive(Debug, Args)]
#[command(after_help = "\
Without a path it lists the webhooks, and the fields whose secret can make a signature.

  cargo omni webhook
  cargo omni webhook /hooks/acme --body push.json --sign x-signature --secret credential.webhook_secret")]
pub(super) struct Arguments {
    /// Path of the webhook, with its parameters
    path: Option<String>,
    /// File with the body; `-` reads standard input
    #[arg(long, value_name = "FILE", requires = "path")]
    body: Option<PathBuf>,
    /// Header of the call, such as `X-Event: push`; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "path")]
    headers: Vec<String>,
    /// Header for the HMAC-SHA256 of the body
    #[arg(long, value_name = "HEADER", requires = "secret")]
    sign: Option<String>,
    /// Field of the source with the secret, such as `credential.webhook_secret`
    #[arg(long, value_name = "FIELD", requires = "sign")]
    secret: Option<String>,
    /// Text before the signature
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "sha256=",
        requires = "sign"
    )]
    prefix: String,
    /// Call it twice at once
    #[arg(long, requires = "path")]
    twice: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(
    arguments: Arguments,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let body = arguments.body.as_deref().map(read).transpose()?;
    with_page(&arguments.place, Use::Read, interrupts, async |page| {
        let Some(path) = &arguments.path else {
            let actions = page.pane("actions", &[]).await?;
            let webhooks = &actions["webhooks"];
            output.result(webhooks, List(webhooks));
            return Ok(Code::Done);
        };
        let headers = arguments.headers.join("\n");
        let fields = [
            ("path", path.as_str()),
            ("body", body.as_deref().unwrap_or("{}")),
            ("headers", &headers),
            (
                "signature_header",
                arguments.sign.as_deref().unwrap_or_default(),
            ),
            ("signature_prefix", &arguments.prefix),
            ("secret", arguments.secret.as_deref().unwrap_or_default()),
            ("times", if arguments.twice { "2" } else { "1" }),
        ];
        let answer = page.submit("actions/webhook", &fields).await?;
        let delivered: Vec<Delivered> = part(&answer["deliveries"])?;
        output.result(&answer["deliveries"], Shown(&delivered));
        let are_good = delivered.iter().all(|one| {
            one.status
                .is_some_and(|status| (200..300).contains(&status))
        });
        Ok(if are_good { Code::Done } else { Code::Failed })
    })
    .await
}

struct Shown<'a>(&'a [Delivered]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in self.0 {
            let status = one
                .status
                .map_or("no answer".to_owned(), |status| status.to_string());
            writeln!(f, "{}  {} ms", style(status).bold(), one.took_ms)?;
            writeln!(f, "{}", printable_lines(&one.answer))?;
        }
        Ok(())
    }
}

struct List<'a>(&'a Value);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = |name: &str| {
            let list = self.0[name].as_array().cloned().unwrap_or_default();
            let texts = list.iter().filter_map(Value::as_str).map(printable);
            texts.collect::<Vec<_>>()
        };
        let paths = texts("paths");
        if paths.is_empty() {
            return writeln!(
                f,
                "no webhooks are known; the connector has none, or `cargo omni dev` does not run"
            );
        }
        for path in paths {
            writeln!(f, "{}", style(path).bold())?;
        }
        writeln!(f, "secrets  {}", texts("secrets").join(" "))
    }
}
