//! What a connector offers beside its actions: the resources and prompts of an MCP server, and skills. A person fetches each as a
//! language model would. Tools of an MCP server are actions.

use std::time::Instant;

use axum::response::Response;
use maud::{Markup, html};
use omni_connector::{
    Skill,
    wire::{PromptDefinition, ResourceDefinition},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Page,
    answer::sentence,
    frame::{Frame, Pane},
    sent::Sent,
    show::{count, cut, foreign, json},
};
use crate::rules::{self, LoadedSkill, Refusal};

/// The longest answer that is kept, in bytes of JSON.
const LONGEST: usize = 100 << 10;

/// The offers of a connector, with the latest one that was fetched.
#[derive(Debug, Default, Serialize)]
pub(super) struct Offers {
    resources: Vec<ResourceDefinition>,
    prompts: Vec<PromptDefinition>,
    skills: Vec<Skill>,
    fetched: Option<Fetched>,
}

/// A resource, prompt or skill that was fetched.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Fetched {
    kind: String,
    name: String,
    arguments: Value,
    /// None if it was refused.
    answer: Option<Value>,
    error: Option<String>,
    took_ms: u64,
}

impl Offers {
    pub(super) fn read(page: &Page, frame: &Frame) -> Self {
        let Some(manifest) = frame.manifest.clone() else {
            return Self::default();
        };
        Self {
            resources: manifest.resources,
            prompts: manifest.prompts,
            skills: manifest.skills,
            fetched: page.memory(|memory| memory.fetched.clone()),
        }
    }

    fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.prompts.is_empty() && self.skills.is_empty()
    }
}

/// Fetches one of the offers.
pub(super) async fn fetch(sent: Sent) -> Response {
    let done = try_fetch(&sent).await;
    sent.end_at(Pane::Actions, done)
}

async fn try_fetch(sent: &Sent) -> Result<String, Refusal> {
    let (shared, source) = (&sent.page.shared, &sent.source()?.source.id);
    let (kind, name) = (sent.field("kind"), sent.field("name").trim());
    let arguments = arguments(sent);
    let began = Instant::now();
    let answer = match kind {
        "resource" => rules::resource(shared, source, name.to_owned()).await,
        "prompt" => rules::prompt(shared, source, name.to_owned(), arguments.clone()).await,
        "skill" => match rules::load_skill(shared, name, Some(source), arguments.clone()).await {
            Ok(LoadedSkill::Answered(answer)) => Ok(answer),
            Ok(LoadedSkill::Declared { title, content }) => {
                Ok(json!({ "title": title, "content": content }))
            }
            Err(refusal) => Err(refusal),
        },
        other => {
            let text =
                format!("`{other}` is not an offer; they are `resource`, `prompt` and `skill`");
            return Err(Refusal::BadRequest(text));
        }
    };
    let (answer, error) = match answer {
        Ok(answer) => (Some(bounded(answer)), None),
        Err(refusal) => (None, Some(sentence(refusal))),
    };
    let fetched = Fetched {
        kind: kind.to_owned(),
        name: name.to_owned(),
        arguments,
        answer,
        error,
        took_ms: began.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
    };
    let done = match &fetched.error {
        None => format!("Fetched the {kind} `{name}`."),
        Some(error) => format!("The {kind} `{name}` was not fetched: {error}"),
    };
    sent.page.memory(|memory| memory.fetched = Some(fetched));
    Ok(done)
}

/// Returns the filled fields of the form that are arguments.
fn arguments(sent: &Sent) -> Value {
    let names = sent.fields.names();
    let arguments: Map<_, _> = names
        .filter_map(|name| {
            let argument = name.strip_prefix("a/")?;
            Some((argument.to_owned(), sent.fields.filled(name)?.into()))
        })
        .collect();
    arguments.into()
}

/// Cuts a long answer, which is then a text.
fn bounded(answer: Value) -> Value {
    let text = answer.to_string();
    if text.len() <= LONGEST {
        return answer;
    }
    cut(&text, LONGEST).into()
}

pub(super) fn render(frame: &Frame, offers: &Offers) -> Markup {
    let form = |kind: &str, name: Markup, rest: Markup, button: &str| {
        html! {
            form.stack method="post" action=(frame.link("/dev/actions/offer", &[])) {
                input type="hidden" name="kind" value=(kind);
                (name)
                (rest)
                div.actions { button { (button) } }
            }
        }
    };
    let hidden = |name: &str| html! { input type="hidden" name="name" value=(name); };
    html! {
        @if !offers.is_empty() {
            section.card id="offers" {
                h2 { "Resources, prompts and skills " span.counter { (offers.resources.len() + offers.prompts.len() + offers.skills.len()) } }
                @for one in &offers.resources {
                    details {
                        summary { span.chip { "resource" } " " (foreign(&one.name)) " " code { (foreign(&cut(&one.uri_template, 120))) } }
                        (described(one.description.as_deref()))
                        (form("resource", html! { label { "URI" input name="name" value=(one.uri_template) required; } }, html! {}, "Read"))
                    }
                }
                @for one in &offers.prompts {
                    details {
                        summary { span.chip { "prompt" } " " code { (foreign(&one.name)) } }
                        (described(one.description.as_deref()))
                        (form("prompt", hidden(&one.name), html! {
                            @for argument in &one.arguments {
                                label { (foreign(&argument.name)) input name={ "a/" (argument.name) } required[argument.required] autocomplete="off"; }
                                (described(argument.description.as_deref()))
                            }
                        }, "Fill in"))
                    }
                }
                @for one in &offers.skills {
                    details {
                        summary { span.chip { "skill" } " " (foreign(&one.title)) }
                        (described(one.description.as_deref()))
                        (form("skill", hidden(&one.id), html! {}, "Load"))
                    }
                }
                @if let Some(fetched) = &offers.fetched { (answer(fetched)) }
            }
        }
    }
}

fn described(text: Option<&str>) -> Markup {
    html! { @if let Some(text) = text { p.quiet { (foreign(&cut(text, 1000))) } } }
}

fn answer(fetched: &Fetched) -> Markup {
    let is_good = fetched.error.is_none();
    html! {
        h3 id="fetched" { (fetched.kind) " " code { (foreign(&cut(&fetched.name, 200))) } " " span.chip.good[is_good].bad[!is_good] { @if is_good { "fetched" } @else { "refused" } } " " span.quiet { (count(fetched.took_ms)) " ms" } }
        @if let Some(error) = &fetched.error { p.fault { (foreign(error)) } }
        @match &fetched.answer {
            None => {},
            Some(Value::String(text)) => pre.text tabindex="0" { (foreign(text)) },
            Some(answer) => (json(answer)),
        }
    }
}
