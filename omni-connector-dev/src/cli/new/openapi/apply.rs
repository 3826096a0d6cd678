//! Puts what a document says into the files of the template.

use std::fmt::Write;

use super::{
    Chosen,
    plan::{Access, Question},
    sign_in::SignIn,
};
use crate::cli::new::names::Names;

impl Chosen {
    /// What the document says otherwise than the template.
    #[allow(
        clippy::too_many_lines,
        reason = "one file of the template after the other"
    )]
    pub(super) fn replacements(&self, path: &str, names: &Names) -> Vec<(String, String)> {
        let (plan, list, items) = (&self.plan, &self.list, names.items());
        let relative = list.path.trim_start_matches('/');
        let mut all = Vec::new();
        let mut put = |old: String, new: String| all.push((old, new));
        let error = |question: &Question| {
            let text = format!(
                "{}; answer with `cargo omni new --force … {}`, or write it here",
                question.asked, question.flag
            );
            format!("compile_error!({text:?})")
        };
        let member = |field: &str| {
            let found = plan.fields.iter().find(|(name, _)| *name == field);
            found.map(|(_, member)| member.as_str())
        };
        match path {
            "src/api.rs" => {
                put(
                    format!(".items(\"/{items}\")"),
                    format!(".items({:?})", list.pointer),
                );
                let query = match &plan.query {
                    Ok(sent) if sent.is_empty() => String::new(),
                    Ok(sent) => format!(".query(&{sent:?})"),
                    Err(question) => format!(".query(&{})", error(question)),
                };
                put(
                    format!(".get(\"{items}\")"),
                    format!(".get({relative:?}){query}"),
                );
                put(format!("(\"{items}\")"), format!("({relative:?})"));
                let end = "let end = Paging::cursor(\"/next\").param(\"cursor\");".to_owned();
                let size = "end.size(\"limit\", 100)".to_owned();
                match &plan.paging {
                    Ok(paging) => match &paging.size {
                        Some((parameter, most)) => {
                            put(end, format!("let end = {};", paging.code));
                            put(size, format!("end.size({parameter:?}, {most})"));
                        }
                        None => {
                            put(end, String::new());
                            put(size, paging.code.clone());
                        }
                    },
                    Err(question) => {
                        put(end, String::new());
                        put(size, error(question));
                    }
                }
                put(
                    "\"updated_since\"".to_owned(),
                    format!("{:?}", plan.since.as_deref().unwrap_or_default()),
                );
                match &plan.auth {
                    Ok(SignIn::Header(name)) => {
                        put("\"x-api-key\"".to_owned(), format!("{name:?}"));
                    }
                    Ok(SignIn::Query(name)) => {
                        put(
                            "Auth::header(\"x-api-key\"".to_owned(),
                            format!("Auth::query({name:?}"),
                        );
                    }
                    Err(question) => put(
                        "Auth::header(\"x-api-key\", &login.api_key)".to_owned(),
                        error(question),
                    ),
                    Ok(_) => {}
                }
                if plan.creates {
                    let member = |field| member(field).unwrap_or_default();
                    put(
                        "{ \"title\": title, \"text\": text }".to_owned(),
                        format!(
                            "{{ {:?}: title, {:?}: text }}",
                            member("title"),
                            member("text")
                        ),
                    );
                }
            }
            path if path == names.in_path("src/issue.rs") => {
                for (field, member) in plan.fields.iter().filter(|(field, member)| field != member)
                {
                    for declared in [
                        format!("    {field}: Option"),
                        format!("    pub(crate) {field}: Option"),
                    ] {
                        put(
                            declared.clone(),
                            format!("    #[serde(rename = {member:?})]\n{declared}"),
                        );
                    }
                }
                match &plan.id {
                    Ok((member, is_number)) => {
                        let rename = if member == "id" {
                            String::new()
                        } else {
                            format!("    #[serde(rename = {member:?})]\n")
                        };
                        let kind = if *is_number { "i64" } else { "String" };
                        put(
                            "    id: String,\n".to_owned(),
                            format!("{rename}    id: {kind},\n"),
                        );
                        if *is_number {
                            put(
                                "self.id.clone()".to_owned(),
                                "self.id.to_string()".to_owned(),
                            );
                        }
                    }
                    Err(question) => put("self.id.clone()".to_owned(), error(question)),
                }
                match &plan.access {
                    Ok(Access::Item(member)) if member != "readers" => put(
                        "    readers: Option".to_owned(),
                        format!("    #[serde(rename = {member:?})]\n    readers: Option"),
                    ),
                    Err(question) => put(
                        "let access = Access::public();".to_owned(),
                        format!("let access: Access = {};", error(question)),
                    ),
                    Ok(_) => {}
                }
            }
            "src/lib.rs" => {
                if let Ok(SignIn::OAuth(oauth)) = &plan.auth {
                    let made_up =
                        |end: &str| format!("https://{}.example.com/{end}", names.package);
                    put(made_up("oauth/authorize"), oauth.authorization.clone());
                    put(made_up("oauth/token"), oauth.token.clone());
                    put(made_up("api/me"), oauth.userinfo.clone());
                    put("[\"read\"]".to_owned(), scopes(&oauth.read));
                    put("[\"write\"]".to_owned(), scopes(&oauth.write));
                }
                if let Some(server) = self.document.server() {
                    put(
                        format!("https://{}.example.com/api", names.package),
                        server.to_owned(),
                    );
                }
            }
            "tests/source/mod.rs" => {
                put(
                    format!(".list(\"/{items}\", \"/{items}\""),
                    format!(".list({:?}, {:?}", list.path, list.pointer),
                );
                put(
                    format!("\"/{items}\",\n            |input|"),
                    format!("{:?},\n            |input|", list.path),
                );
                let list = format!("api::paging(), {items}())");
                let mut declared = list.clone();
                for (name, _) in plan.query.iter().flatten() {
                    let _ = write!(declared, ".parameter({name:?})");
                }
                put(list, declared);
                if let Ok((member, is_number)) = &plan.id {
                    let number = if *is_number {
                        "number"
                    } else {
                        "format!(\"{number}\")"
                    };
                    put(
                        "\"id\": format!(\"{number}\")".to_owned(),
                        format!("{member:?}: {number}"),
                    );
                    let made = if *is_number {
                        "99".to_owned()
                    } else {
                        "\"99\"".to_owned()
                    };
                    put("\"id\": \"99\"".to_owned(), format!("{member:?}: {made}"));
                }
                let mut calls = String::new();
                for (field, member) in &plan.fields {
                    if field != member {
                        put(format!("\"{field}\":"), format!("{member:?}:"));
                        put(format!("input[\"{field}\"]"), format!("input[{member:?}]"));
                        if ["title", "text"].contains(field) {
                            let _ = write!(calls, ".{field}({member:?})");
                        }
                    }
                }
                if let Ok(Access::Item(member)) = &plan.access
                    && member != "readers"
                {
                    put("\"readers\":".to_owned(), format!("{member:?}:"));
                    let _ = write!(calls, ".readers({member:?})");
                }
                put(".at_most(5)".to_owned(), format!(".at_most(5){calls}"));
                if let Some(since) = &plan.since {
                    let member = member("updated_at").unwrap_or_default();
                    put(
                        ".since(\"updated_since\", \"updated_at\")".to_owned(),
                        format!(".since({since:?}, {member:?})"),
                    );
                }
                match &plan.auth {
                    Ok(SignIn::Header(name)) => {
                        put("\"x-api-key\"".to_owned(), format!("{name:?}"));
                    }
                    Ok(SignIn::Query(name)) => {
                        put(
                            "Auth::header(\"x-api-key\"".to_owned(),
                            format!("Auth::query({name:?}"),
                        );
                    }
                    _ => {}
                }
            }
            "README.md" => {
                put(format!("`GET {items}"), format!("`GET {relative}"));
                put(format!("`POST {items}"), format!("`POST {relative}"));
                put(
                    "?updated_since=".to_owned(),
                    format!("?{}=", plan.since.as_deref().unwrap_or_default()),
                );
                if let Ok(Access::Item(member)) = &plan.access {
                    put("`readers`".to_owned(), format!("`{member}`"));
                }
                match &plan.auth {
                    Ok(SignIn::Header(name)) => {
                        put("as `x-api-key`".to_owned(), format!("as `{name}`"));
                    }
                    Ok(SignIn::Query(name)) => put(
                        "as `x-api-key`".to_owned(),
                        format!("as the parameter `{name}`"),
                    ),
                    _ => {}
                }
            }
            _ => {}
        }
        all
    }
}

/// Scopes in code. An empty array has no type of its own.
fn scopes(scopes: &[String]) -> String {
    match scopes {
        [] => "Vec::<String>::new()".to_owned(),
        scopes => format!("{scopes:?}"),
    }
}
