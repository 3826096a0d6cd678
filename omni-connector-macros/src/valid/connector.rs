//! `#[connector(…)]` on a struct: the declaration of the connector.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Expr, Ident, ItemStruct, LitStr, Path, Type, spanned::Spanned};

use super::{WireName, docs, names};
use crate::{
    diagnostics::{Errors, nearest},
    parse::Keys,
};

/// The keys that have a string or no value. Each sets the constant of `Declared` that has its name.
const CONSTANTS: &[(&str, Kind)] = &[
    (
        "display_name",
        Kind::Text {
            example: "Acme Tracker",
        },
    ),
    ("read_only", Kind::Flag),
];

/// The kind of a constant.
#[derive(Clone, Copy)]
enum Kind {
    /// `key = "…"` sets an `Option<&'static str>`.
    Text { example: &'static str },
    /// `key` sets a `bool`.
    Flag,
}

/// The other keys.
const KEYS: &[&str] = &[
    "name",
    "version",
    "description",
    "source_types",
    "sync_modes",
    "config",
    "credentials",
    "state",
    "extra",
    "actions",
    "search_operators",
    "mcp",
    "skill",
    "crate",
];
const SKILL_KEYS: &[&str] = &["id", "title", "description", "file", "text", "source_types"];
const MODES: [&str; 3] = ["full", "incremental", "realtime"];

/// A valid connector.
pub(crate) struct Connector {
    pub(crate) ident: Ident,
    pub(crate) name: LitStr,
    pub(crate) version: Option<LitStr>,
    pub(crate) description: Option<TokenStream>,
    pub(crate) source_types: Vec<Ident>,
    pub(crate) modes: Vec<Mode>,
    pub(crate) declares_modes: bool,
    pub(crate) config: Option<Type>,
    pub(crate) credentials: Option<Type>,
    pub(crate) state: Option<Type>,
    /// The shape of `metadata.extra`.
    pub(crate) extra: Option<Type>,
    pub(crate) listed: Listed,
    /// The MCP server behind the connector.
    pub(crate) mcp: Option<Expr>,
    pub(crate) skills: Vec<Skill>,
    /// The constants that the author set, by their keys.
    pub(crate) constants: Vec<(&'static str, Constant)>,
}

/// The value of a constant.
pub(crate) enum Constant {
    Text(LitStr),
    Flag,
}

/// Listed functions outside the block.
pub(crate) struct Listed {
    pub(crate) actions: Vec<Path>,
    pub(crate) operators: Vec<Path>,
}

/// A mode that the connector declares.
pub(crate) struct Mode {
    /// A variant of `SyncType`, with the span of the author's key.
    pub(crate) variant: Ident,
}

/// A text that teaches language models.
pub(crate) struct Skill {
    pub(crate) id: LitStr,
    pub(crate) title: LitStr,
    pub(crate) description: Option<LitStr>,
    pub(crate) text: SkillText,
    pub(crate) source_types: Vec<Ident>,
}

/// The place of a skill's text.
pub(crate) enum SkillText {
    /// In a file, relative to the author's file.
    File(LitStr),
    Here(LitStr),
}

impl Connector {
    /// Always returns a connector. Invalid parts are left out, so that rustc reports nothing about the struct.
    pub(crate) fn of(item: &ItemStruct, keys: TokenStream, errors: &mut Errors) -> Self {
        let known = KEYS.iter().chain(CONSTANTS.iter().map(|(key, _)| key));
        let known: Vec<_> = known.copied().collect();
        let keys = Keys::parse(keys, &known, &["skill"], errors);
        let generics = &item.generics;
        if let Some(place) = generics.lt_token.and(Some(generics.span())) {
            errors.push(
                place,
                "a connector struct must not have generics",
                "use a concrete type, or an `Arc<dyn …>`",
            );
        }
        let name = name(&keys, errors);
        let state = keys.value("state", "a type", "Cursor", errors);
        let modes = modes(&keys, keys.span("state").is_some(), errors);
        let source_types = keys.list::<Path>("source_types", "[Jira]", errors);
        if keys.span("source_types").is_none() && keys.is_complete() {
            errors.push(
                Span::call_site(),
                "missing `source_types`",
                "`source_types = [Jira]` says which systems the connector serves",
            );
        }
        let source_types = names::source_types(&source_types.unwrap_or_default(), errors);
        let given = keys.string("description", "Issues and comments", errors);
        let description = given
            .map(|text| quote!(#text))
            .or_else(|| docs::description(&item.attrs));
        let skills = keys
            .groups("skill", SKILL_KEYS, errors)
            .into_iter()
            .filter_map(|(place, keys)| skill(place, &keys, errors))
            .collect();
        Self {
            ident: item.ident.clone(),
            version: keys.string("version", "1.0.0", errors),
            description,
            source_types,
            modes,
            declares_modes: keys.span("sync_modes").is_some(),
            config: keys.value("config", "a type", "Settings", errors),
            credentials: keys.value("credentials", "a type", "ApiKey", errors),
            state,
            extra: keys.value("extra", "a type", "Extra", errors),
            listed: Listed {
                actions: keys
                    .list("actions", "[reports::monthly]", errors)
                    .unwrap_or_default(),
                operators: keys
                    .list("search_operators", "[issues::project]", errors)
                    .unwrap_or_default(),
            },
            mcp: keys.value("mcp", "an MCP server", "McpServer::stdio(\"npx\")", errors),
            skills,
            constants: constants(&keys, errors),
            name,
        }
    }
}

fn constants(keys: &Keys, errors: &mut Errors) -> Vec<(&'static str, Constant)> {
    let constants = CONSTANTS.iter().filter_map(|(key, kind)| {
        let value = match *kind {
            Kind::Text { example } => keys.string(key, example, errors).map(Constant::Text),
            Kind::Flag => keys.flag(key, errors).then_some(Constant::Flag),
        };
        Some((*key, value?))
    });
    constants.collect()
}

fn name(keys: &Keys, errors: &mut Errors) -> LitStr {
    if keys.span("name").is_none() && keys.is_complete() {
        errors.push(
            Span::call_site(),
            "missing `name`",
            "`#[connector(name = \"github\")]`",
        );
    }
    let Some(name) = keys.string("name", "github", errors) else {
        return LitStr::new("", Span::call_site());
    };
    let wire = WireName {
        text: name.value(),
        span: name.span(),
    };
    names::check(&wire, errors);
    name
}

fn modes(keys: &Keys, has_state: bool, errors: &mut Errors) -> Vec<Mode> {
    let Some(words) = keys.list::<Ident>("sync_modes", "[full, incremental]", errors) else {
        // A connector without declared modes supports full runs, which is the trait's default.
        let variant = Ident::new("Full", Span::call_site());
        return vec![Mode { variant }];
    };
    let mut modes: Vec<Mode> = Vec::new();
    for word in words {
        let text = word.to_string();
        if !MODES.contains(&text.as_str()) {
            let help = match nearest(&text, MODES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "sync modes are `full`, `incremental` and `realtime`".to_owned(),
            };
            errors.push(word.span(), format!("unknown sync mode `{text}`"), help);
            continue;
        }
        if text == "incremental" && !has_state {
            errors.push(
                word.span(),
                "an incremental sync needs a state",
                "`state = Cursor` says where the next run goes on",
            );
        }
        let variant = text[..1].to_uppercase() + &text[1..];
        let variant = Ident::new(&variant, word.span());
        if modes.iter().any(|mode| mode.variant == variant) {
            errors.push(
                word.span(),
                format!("`{text}` is listed twice"),
                "remove one of them",
            );
        } else {
            modes.push(Mode { variant });
        }
    }
    modes
}

fn skill(place: Span, keys: &Keys, errors: &mut Errors) -> Option<Skill> {
    const SHAPE: &str =
        "`skill(id = \"triage\", title = \"How we triage\", file = \"skills/triage.md\")`";
    let [id, title, file, text, description] =
        ["id", "title", "file", "text", "description"].map(|key| keys.string(key, "…", errors));
    let source_types: Vec<Path> = keys
        .list("source_types", "[Jira]", errors)
        .unwrap_or_default();
    let source_types = names::source_types(&source_types, errors);
    let text = match (file, text) {
        (Some(file), None) => Some(SkillText::File(file)),
        (None, Some(text)) => Some(SkillText::Here(text)),
        (Some(_), Some(text)) => {
            errors.push(text.span(), "a skill has a `file` or a `text`", SHAPE);
            return None;
        }
        (None, None) => None,
    };
    let (Some(id), Some(title), Some(text)) = (id, title, text) else {
        errors.push(place, "a skill needs `id`, `title` and `file`", SHAPE);
        return None;
    };
    Some(Skill {
        id,
        title,
        description,
        text,
        source_types,
    })
}
