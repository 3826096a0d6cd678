//! Converts an MCP server's answers for callers of a connector (`protocol.md` §2.7, §9.4).

use anyhow::Result;
use axum::response::Response;
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use rmcp::model::{
    CallToolResult, ContentBlock, GetPromptResult, ReadResourceResult, ResourceContents, Role,
};
use serde_json::{Value, json};

use crate::connector::{
    ActionError, ActionResponse,
    actions::{ActionOutput, File},
};

/// Converts the answer of a tool.
///
/// Structured content is the result, with added `files` and `links`; its text alone only repeats it (`protocol.md`
/// §9.4). Without structured content, text becomes `content`. A single image, recording or resource without text
/// becomes a file. Several become `files`, so that nothing is lost.
pub(super) fn tool(result: CallToolResult) -> Result<Response> {
    let mut texts = Vec::new();
    let mut attachments = Vec::new();
    let mut links = Vec::new();
    for block in result.content {
        match block {
            ContentBlock::Text(text) => texts.push(text.text),
            ContentBlock::Image(image) => attachments.push(Attachment::named(
                "image",
                image.mime_type,
                Data::Base64(image.data),
            )),
            ContentBlock::Audio(audio) => attachments.push(Attachment::named(
                "audio",
                audio.mime_type,
                Data::Base64(audio.data),
            )),
            ContentBlock::Resource(embedded) => attachments.extend(resource(embedded.resource)),
            ContentBlock::ResourceLink(link) => links.push(json!({
                "uri": link.uri, "name": link.name, "description": link.description, "mime_type": link.mime_type,
            })),
            // A kind that the protocol does not know yet.
            _ => texts.push("[content of an unknown kind]".to_owned()),
        }
    }
    let text = texts.join("\n");
    if result.is_error == Some(true) {
        let text = failure(
            text,
            &attachments,
            &links,
            result.structured_content.as_ref(),
        );
        // The error keeps its status and passes through redaction.
        return Err(ActionError::bad_request(text).into());
    }
    let is_alone = text.is_empty() && links.is_empty() && result.structured_content.is_none();
    if is_alone
        && attachments.len() == 1
        && let Some(bytes) = attachments[0].bytes()
        && let Some(file) = attachments.pop()
    {
        return File::bytes(bytes, file.mime_type, file.name).into_answer();
    }
    let mut answer = match result.structured_content {
        Some(structured) if attachments.is_empty() && links.is_empty() => {
            return Ok(ActionResponse::success(structured).into_response());
        }
        // Its own keys take precedence over added ones.
        Some(Value::Object(structured))
            if !["files", "links"]
                .iter()
                .any(|key| structured.contains_key(*key))
                && (text.is_empty() || !structured.contains_key("content")) =>
        {
            let mut answer = Value::Object(structured);
            if !text.is_empty() {
                answer["content"] = text.into();
            }
            answer
        }
        Some(structured) => json!({ "content": text, "structured": structured }),
        None => json!({ "content": text }),
    };
    if !attachments.is_empty() {
        let files: Vec<_> = attachments.into_iter().map(Attachment::into_json).collect();
        answer["files"] = files.into();
    }
    if !links.is_empty() {
        answer["links"] = links.into();
    }
    Ok(ActionResponse::success(answer).into_response())
}

/// Returns the reason of a failed tool: its texts, and a reason that only another part of the result has.
fn failure(
    text: String,
    attachments: &[Attachment],
    links: &[Value],
    structured: Option<&Value>,
) -> String {
    let mut texts = vec![text];
    texts.extend(
        attachments
            .iter()
            .filter_map(|attached| match &attached.data {
                Data::Text(text) => Some(text.clone()),
                Data::Base64(_) => None,
            }),
    );
    texts.retain(|text| !text.trim().is_empty());
    // A text often repeats the structured content.
    let is_said = |reason: &str| texts.iter().any(|text| text.contains(reason));
    match structured.map(|structured| (reason_in(structured), structured)) {
        Some((reason, structured)) => {
            let message = message_in(structured);
            if !is_said(message.unwrap_or(&reason)) && (texts.is_empty() || message.is_some()) {
                texts.push(reason);
            }
        }
        None if texts.is_empty() => {
            texts.extend(
                links
                    .iter()
                    .filter_map(|link| Some(link["uri"].as_str()?.to_owned())),
            );
        }
        None => {}
    }
    if texts.is_empty() {
        return "the tool failed without a reason".to_owned();
    }
    texts.join("\n")
}

/// Converts the answer of `/resource`.
pub(super) fn contents(result: ReadResourceResult) -> Value {
    let contents: Vec<_> = result.contents.into_iter().filter_map(content).collect();
    json!({ "contents": contents })
}

fn content(content: ResourceContents) -> Option<Value> {
    match content {
        ResourceContents::TextResourceContents {
            uri,
            mime_type,
            text,
            ..
        } => Some(json!({ "uri": uri, "text": text, "mime_type": mime_type })),
        ResourceContents::BlobResourceContents {
            uri,
            mime_type,
            blob,
            ..
        } => Some(json!({ "uri": uri, "blob": blob, "mime_type": mime_type })),
        _ => None,
    }
}

/// Converts the answer of `/prompt`. Content other than text is reduced to its type; the text of a resource is kept.
pub(super) fn prompt(result: GetPromptResult) -> Value {
    let messages: Vec<_> = result
        .messages
        .into_iter()
        .map(|message| {
            let role = match message.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            let content = match message.content {
                ContentBlock::Text(text) => json!({ "type": "text", "text": text.text }),
                ContentBlock::Resource(embedded) => match embedded.resource {
                    ResourceContents::TextResourceContents { uri, text, .. } => {
                        json!({ "type": "resource", "uri": uri, "text": text })
                    }
                    _ => json!({ "type": "resource" }),
                },
                ContentBlock::Image(_) => json!({ "type": "image" }),
                ContentBlock::Audio(_) => json!({ "type": "audio" }),
                ContentBlock::ResourceLink(link) => {
                    json!({ "type": "resource_link", "uri": link.uri })
                }
                _ => json!({ "type": "unknown" }),
            };
            json!({ "role": role, "content": content })
        })
        .collect();
    json!({ "description": result.description, "messages": messages })
}

/// Content other than text.
struct Attachment {
    name: String,
    uri: Option<String>,
    mime_type: String,
    data: Data,
}

enum Data {
    Text(String),
    Base64(String),
}

fn resource(contents: ResourceContents) -> Option<Attachment> {
    let (uri, mime_type, data) = match contents {
        ResourceContents::TextResourceContents {
            uri,
            mime_type,
            text,
            ..
        } => (
            uri,
            mime_type.unwrap_or_else(|| "text/plain".to_owned()),
            Data::Text(text),
        ),
        ResourceContents::BlobResourceContents {
            uri,
            mime_type,
            blob,
            ..
        } => (uri, mime_type.unwrap_or_default(), Data::Base64(blob)),
        _ => return None,
    };
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let name = if last.contains('.') {
        last.to_owned()
    } else {
        format!("{last}{}", extension(&mime_type))
    };
    Some(Attachment {
        name,
        uri: Some(uri),
        mime_type,
        data,
    })
}

impl Attachment {
    fn named(stem: &str, mime_type: String, data: Data) -> Self {
        Self {
            name: format!("{stem}{}", extension(&mime_type)),
            uri: None,
            mime_type,
            data,
        }
    }

    /// Returns the bytes. Returns `None` if the base64 is invalid; the string is then forwarded unchanged.
    fn bytes(&self) -> Option<Vec<u8>> {
        match &self.data {
            Data::Text(text) => Some(text.clone().into_bytes()),
            Data::Base64(text) => base64_bytes(text),
        }
    }

    fn into_json(self) -> Value {
        let mut file = json!({ "name": self.name, "mime_type": self.mime_type });
        if let Some(uri) = self.uri {
            file["uri"] = uri.into();
        }
        match self.data {
            Data::Text(text) => file["text"] = text.into(),
            // Always sent in the standard alphabet.
            Data::Base64(text) => {
                let bytes = base64_bytes(&text);
                file["data"] = bytes
                    .map_or(text, |bytes| BASE64_STANDARD.encode(bytes))
                    .into();
            }
        }
        file
    }
}

/// Decodes base64 in either alphabet, with or without padding, also over several lines or as a `data:` URL.
fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    const SCHEME: &str = "data:";
    let text = text.trim_start();
    let is_url = text
        .get(..SCHEME.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(SCHEME));
    let text = if is_url {
        let (kind, data) = text.split_once(',')?;
        if !kind.trim_end().to_ascii_lowercase().ends_with(";base64") {
            return None;
        }
        data
    } else {
        text
    };
    // A URL escapes some of the letters.
    let text = percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .ok()?;
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\u{feff}')
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    LENIENT.decode(text.trim_end_matches('=')).ok()
}

/// The standard alphabet. Leftover bits are ignored.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Finds the message in structured content.
pub(super) fn message_in(structured: &Value) -> Option<&str> {
    let places = [
        "/message",
        "/message/text",
        "/error/message",
        "/error_description",
        "/error/detail",
        "/error",
        "/reason",
        "/detail",
        "/details",
        "/description",
        "/errors/0/message",
        "/errors/0/detail",
        "/errors/0",
    ];
    places
        .iter()
        .find_map(|place| structured.pointer(place)?.as_str())
        .or_else(|| structured.as_str())
        .filter(|message| !message.trim().is_empty())
}

/// Finds the reason in structured content: its message, or else the whole content.
fn reason_in(structured: &Value) -> String {
    match (message_in(structured), structured["code"].as_str()) {
        (Some(message), Some(code)) => format!("{message} ({code})"),
        (Some(message), None) => message.to_owned(),
        (None, _) => structured.to_string(),
    }
}

/// Returns the file extension for MIME types that tools commonly send.
fn extension(mime_type: &str) -> String {
    let essence = mime_type.split(';').next().unwrap_or_default().trim();
    let subtype = essence.rsplit('/').next().unwrap_or_default();
    let known = match subtype {
        "jpeg" => "jpg",
        "svg+xml" => "svg",
        "mpeg" => "mp3",
        "x-wav" => "wav",
        "plain" => "txt",
        "markdown" => "md",
        other if other.len() <= 5 && other.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            other
        }
        _ => "",
    };
    if known.is_empty() {
        String::new()
    } else {
        format!(".{known}")
    }
}
