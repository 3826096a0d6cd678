//! `cargo omni explain`: why a document is found or not, layer by layer; `cargo omni doubts`: what looks wrong with a source.

use std::fmt;

use clap::Args;
use console::style;

use super::{
    Code, Failure, Interrupts, Output,
    output::printable,
    page::{Place, Use, part, with_page},
};
use crate::rules::{Doubt, Layer};

/// Explain why a document is found or not
#[derive(Debug, Args)]
#[command(after_help = "\
  cargo omni explain book-00013
  cargo omni explain book-00012 --as ann@example.com --words 'glaciers'")]
pub(super) struct Explained {
    /// Id of the item, or its address in the source
    item: String,
    /// The person who does not find it
    #[arg(long = "as", value_name = "EMAIL")]
    viewer: Option<String>,
    /// Words that should find it
    #[arg(long, value_name = "TEXT")]
    words: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn explain(
    arguments: Explained,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let Explained {
        item,
        viewer,
        words,
        place,
    } = arguments;
    with_page(&place, Use::Read, interrupts, async |page| {
        let parameters = [
            ("tab", Some("why")),
            ("item", Some(item.as_str())),
            ("as", viewer.as_deref()),
            ("q", words.as_deref()),
        ];
        let shown = page.pane("documents", &parameters).await?;
        let layers: Vec<Layer> = part(&shown["layers"])?;
        output.result(&shown["layers"], Layers(&layers));
        Ok(Code::Done)
    })
    .await
}

struct Layers<'a>(&'a [Layer]);

impl fmt::Display for Layers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for layer in self.0 {
            let name = format!("{:<12}", layer.name);
            let name = if layer.is_answer {
                style(name).red().bold()
            } else {
                style(name).dim()
            };
            writeln!(f, "{name}  {}", printable(&layer.found))?;
        }
        Ok(())
    }
}

/// Say what looks wrong with a source
#[derive(Debug, Args)]
pub(super) struct Doubted {
    /// End with exit code 4 when a doubt is serious: documents or secrets may be lost by it
    #[arg(long)]
    strict: bool,
    /// Dismiss the doubt with this number in the list; it does not count any more for `--strict`
    #[arg(long, value_name = "NUMBER", requires = "because", value_parser = clap::value_parser!(u64).range(1..))]
    dismiss: Option<u64>,
    /// Why it is no problem
    #[arg(long, value_name = "REASON", requires = "dismiss")]
    because: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn doubts(
    arguments: Doubted,
    output: &Output,
    interrupts: &Interrupts,
) -> Result<Code, Failure> {
    let Doubted {
        strict,
        dismiss,
        because,
        place,
    } = arguments;
    with_page(&place, Use::Read, interrupts, async |page| {
        let read = async || {
            let doubts = page.pane("sync", &[]).await?["doubts"].take();
            if doubts.is_null() {
                let failure = Failure::failed("a run goes on, and doubts come when it is over");
                return Err(failure.help("wait for its end, or stop it"));
            }
            Ok(doubts)
        };
        let mut found = read().await?;
        if let (Some(number), Some(because)) = (dismiss, &because) {
            let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
            let Some(text) = found[index]["text"].as_str() else {
                let failure = Failure::failed(format!("there is no doubt {number}"));
                return Err(failure.help("`cargo omni doubts` lists them, the first one is 1"));
            };
            let fields = [("text", text), ("reason", because)];
            page.send("sync/doubt", &fields).await?;
            found = read().await?;
        }
        let doubts: Vec<Doubt> = part(&found)?;
        output.result(&found, Doubts(&doubts));
        let mut counting = doubts.iter().filter(|doubt| doubt.dismissed.is_none());
        let is_serious = counting.any(|doubt| doubt.is_serious);
        Ok(if strict && is_serious {
            Code::Incomplete
        } else {
            Code::Done
        })
    })
    .await
}

struct Doubts<'a>(&'a [Doubt]);

impl fmt::Display for Doubts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for doubt in self.0 {
            let topic = format!("{:<12}", doubt.topic);
            let topic = if doubt.is_serious {
                style(topic).red().bold()
            } else {
                style(topic).dim()
            };
            writeln!(f, "{topic}  {}", printable(&doubt.text))?;
            if let Some(reason) = &doubt.dismissed {
                writeln!(f, "              dismissed: {}", printable(reason))?;
            }
        }
        if self.0.is_empty() {
            writeln!(f, "nothing looks wrong")?;
        }
        Ok(())
    }
}
