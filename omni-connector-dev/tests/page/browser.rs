//! A browser without scripts: it keeps its cookie, reads pages and submits their forms.

use omni_connector_dev::Manager;
use reqwest::{
    Client, Method, RequestBuilder, Response,
    header::{ACCEPT, COOKIE, LOCATION, ORIGIN, SET_COOKIE},
    redirect::Policy,
};
use serde_json::Value;

pub(crate) struct Browser {
    pub(crate) http: Client,
    pub(crate) url: String,
    pub(crate) cookie: String,
}

pub(crate) fn http() -> Client {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build()
        .unwrap()
}

impl Browser {
    /// Opens an address that the manager printed.
    pub(crate) async fn enter(manager: &Manager) -> Self {
        let http = http();
        let answer = http.get(manager.page()).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self {
            http,
            url: manager.url(),
            cookie,
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        request.header(COOKIE, &self.cookie)
    }

    pub(crate) async fn get(&self, path: &str, accept: &str) -> Response {
        self.request(Method::GET, path)
            .header(ACCEPT, accept)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path, "text/html").await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path, "application/json").await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Submits a form and returns the answer without following a redirect.
    pub(crate) async fn post(&self, path: &str, fields: &[(String, String)]) -> Response {
        let request = self.request(Method::POST, path).header(ORIGIN, &self.url);
        request.form(fields).send().await.unwrap()
    }

    /// Submits a form whose answer redirects to a page.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let answer = self.post(path, &fields).await;
        assert_eq!(answer.status(), 303, "{path}");
        let to = answer.headers()[LOCATION].to_str().unwrap();
        assert!(to.starts_with("/dev/"), "{to}");
    }
}

/// Returns the fields that a browser would send for the form whose start tag contains `mark`.
pub(crate) fn fields(page: &str, mark: &str) -> Vec<(String, String)> {
    let start = page
        .find(mark)
        .unwrap_or_else(|| panic!("no form with {mark}"));
    let form = &page[start..];
    let form = &form[..form.find("</form>").unwrap()];
    let mut sent = Vec::new();
    let mut rest = form;
    let mut select: Option<(String, Option<String>)> = None;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = end_of_tag(rest);
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let value = attribute(tag, "value");
        match tag.split([' ', '>']).next().unwrap() {
            "input" => {
                let kind = attribute(tag, "type").unwrap_or_default();
                let is_box = kind == "checkbox" || kind == "radio";
                if let Some(name) = attribute(tag, "name")
                    && (!is_box || has(tag, "checked"))
                {
                    sent.push((name, value.unwrap_or_default()));
                }
            }
            "textarea" => {
                let text = &rest[..rest.find("</textarea>").unwrap()];
                // The first line end after the tag is not part of the text. Browsers send the others as two characters.
                let text = unescaped(text.strip_prefix('\n').unwrap_or(text)).replace('\n', "\r\n");
                sent.extend(attribute(tag, "name").map(|name| (name, text)));
            }
            "select" => select = attribute(tag, "name").map(|name| (name, None)),
            "option" => {
                if let Some((_, chosen)) = &mut select
                    && (chosen.is_none() || has(tag, "selected"))
                {
                    *chosen = value;
                }
            }
            "/select" => {
                if let Some((name, Some(chosen))) = select.take() {
                    sent.push((name, chosen));
                }
            }
            _ => {}
        }
    }
    sent
}

fn end_of_tag(text: &str) -> usize {
    let mut quoted = false;
    text.find(|c| {
        quoted ^= c == '"';
        c == '>' && !quoted
    })
    .unwrap()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let end = tag[start..].find('"')?;
    Some(unescaped(&tag[start..start + end]))
}

fn has(tag: &str, name: &str) -> bool {
    tag.split(' ').any(|word| word == name)
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}
