//! Requests the pages of a site: at its pace, by its rules, and never from the internal network unless the root is
//! there.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use omni_connector::prelude::*;
use reqwest::{
    Client, Method, Response, StatusCode,
    header::{
        CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
        LOCATION, RETRY_AFTER,
    },
};
use texting_robots::Robot;
use tokio::{
    net::lookup_host,
    runtime::{Builder, Runtime},
    sync::OnceCell,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    address::{PublicOnly, is_private},
    page::{self, Page},
    settings::{Settings, leads_away, normal},
};

/// The largest page of text, in bytes.
const PAGE: usize = 10 << 20;
/// The largest document or sitemap, in bytes.
const FILE: usize = 50 << 20;
/// The size of a robots.txt that RFC 9309 requires to be read.
const ROBOTS: usize = 500 << 10;
/// The number of redirects that are followed for one page.
const HOPS: usize = 10;
/// The longest pause that the site may request.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// The path of a host's rules. Reading them takes no turn.
const RULES: &str = "/robots.txt";

/// The time of the latest turn of each host, for all sources of the process.
static TURNS: LazyLock<Mutex<HashMap<String, Instant>>> = LazyLock::new(Mutex::default);

/// Parses pages one after the other, since each thread keeps the memory of the largest page that it parsed.
static PARSER: LazyLock<Runtime> = LazyLock::new(|| {
    let one_thread = Builder::new_current_thread()
        .max_blocking_threads(1)
        .build();
    one_thread.expect("a runtime without drivers needs nothing of the system")
});

/// The rules of a host. Without them nothing is allowed for now.
type Rules = Option<Arc<Robot>>;

/// A site, and the rules of its hosts.
pub(crate) struct Site {
    settings: Settings,
    client: Client,
    /// The rules by origin, each read once.
    robots: Mutex<HashMap<String, Arc<OnceCell<Rules>>>>,
}

/// Returns the version of a response, as the site states it: its `ETag`, or the time of its last change.
fn version(headers: &HeaderMap) -> &str {
    let version = text(headers, ETAG).or_else(|| text(headers, LAST_MODIFIED));
    version.unwrap_or_default()
}

/// Returns a version if it is an `ETag`.
pub(crate) fn etag(version: &str) -> Option<&str> {
    version.ends_with('"').then_some(version)
}

/// What became of a visit.
pub(crate) enum Got {
    Page(Box<(Page, Body)>),
    /// The addresses in a sitemap, and whether each is a sitemap itself.
    Sitemap(Vec<(Url, bool)>, String),
    /// The page is unchanged.
    Same,
    /// The page has moved permanently.
    Moved(Url),
    Gone,
    /// The page cannot be used, for this reason. Its document stays.
    Left(String),
    /// The same for a file, which has no links.
    Textless(String),
    /// The site failed to answer.
    Failed(String),
    /// The rules of its host forbid it.
    Forbidden,
    /// The rules of its host cannot be read.
    Unruled,
}

pub(crate) struct Body {
    /// The address after temporary redirects.
    pub(crate) url: Url,
    /// Empty if the site states none.
    pub(crate) version: String,
    pub(crate) media_type: String,
    pub(crate) headers: HeaderMap,
    pub(crate) size: usize,
    pub(crate) bytes: Vec<u8>,
}

#[derive(PartialEq)]
pub(crate) enum Allowed {
    Yes,
    No,
    /// The host's rules cannot be read.
    Unknown,
}

impl Site {
    pub(crate) async fn open(settings: &Settings) -> Result<Self> {
        let root = settings.root();
        let host = root.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let found = lookup_host((host, 0)).await.with_context(|| {
            format!("the host `{host}` of the setting `root_url` is not found; correct it")
        })?;
        let mut client = HttpClient::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(settings.agent())
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(30))
            .timeout(Duration::from_mins(5));
        if !found.into_iter().any(|it| is_private(it.ip())) {
            client = client.dns_resolver(PublicOnly);
        }
        let client = client
            .build()
            .context("the setting `user_agent` cannot be sent")?;
        Ok(Self {
            settings: settings.clone(),
            client,
            robots: Mutex::default(),
        })
    }

    /// Checks that the root can be reached and leads to a page, without reading its body.
    pub(crate) async fn check(&self) -> Result<()> {
        let root = self.settings.root();
        let mut at = root.clone();
        for _ in 0..=HOPS {
            let answer = self.send(Method::HEAD, &at, None).await;
            let answer = answer.map_err(|why| {
                anyhow!("the setting `root_url` is `{root}`, which cannot be read: {why}; correct it, or the server and its certificate")
            })?;
            match target(&answer, &at) {
                Some(to) if !self.settings.has(&to) => bail!(leads_away(&to)),
                Some(to) if to == root => bail!(
                    "the setting `root_url` is `{root}`, which redirects in a circle; enter the address of a page"
                ),
                Some(to) => at = to,
                None => return Ok(()),
            }
        }
        bail!(
            "the setting `root_url` is `{root}`, which redirects more than {HOPS} times; enter the address of a page"
        )
    }

    /// Returns whether the rules of an address's host allow it.
    pub(crate) async fn allows(&self, url: &Url) -> Allowed {
        match self.rules(url).await {
            _ if !self.settings.obeys_robots() => Allowed::Yes,
            Some(robot) if robot.allowed(url.as_str()) => Allowed::Yes,
            Some(_) => Allowed::No,
            None => Allowed::Unknown,
        }
    }

    /// Returns the sitemaps of the root's host.
    pub(crate) async fn sitemaps(&self) -> Vec<Url> {
        let root = self.settings.root();
        let rules = self.rules(&root).await;
        let named = rules.iter().flat_map(|it| &it.sitemaps);
        let named = named.filter_map(|it| root.join(it).ok());
        let mut found: Vec<_> = named.chain(root.join("/sitemap.xml")).map(normal).collect();
        found.retain(|url| self.settings.has(url));
        found
    }

    fn cell(&self, url: &Url) -> Arc<OnceCell<Rules>> {
        let mut robots = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = url.origin().ascii_serialization();
        Arc::clone(robots.entry(origin).or_default())
    }

    async fn rules(&self, url: &Url) -> Rules {
        let cell = self.cell(url);
        let read = || async { self.read_robots(url).await.map(Arc::new) };
        cell.get_or_init(read).await.clone()
    }

    async fn read_robots(&self, url: &Url) -> Option<Robot> {
        let agent = self.settings.agent();
        let name = agent.split(['/', ' ']).next().unwrap_or_default();
        let mut at = url.join(RULES).ok()?;
        for _ in 0..HOPS {
            let answer = self.send(Method::GET, &at, None).await.ok()?;
            if let Some(to) = target(&answer, &at) {
                // Rules on a host outside of the source do not apply: then everything is allowed.
                if self.settings.has(&to) {
                    at = to;
                    continue;
                }
                return Robot::new(name, b"").ok();
            }
            return match answer.status() {
                status if status.is_success() => {
                    let text = read(answer, ROBOTS, true).await.ok()?;
                    Robot::new(name, &text).ok()
                }
                StatusCode::TOO_MANY_REQUESTS => None,
                status if status.is_client_error() => Robot::new(name, b"").ok(),
                _ => None,
            };
        }
        Robot::new(name, b"").ok()
    }

    /// Visits a page, if the rules allow it: reads it, a known version only if it changed.
    pub(crate) async fn visit(&self, url: &Url, known: Option<&str>, is_sitemap: bool) -> Got {
        let body = match self.fetch(url, known, is_sitemap).await {
            Ok(body) => body,
            Err(other) => return other,
        };
        let agent = self.settings.agent().to_owned();
        let parsed = PARSER.spawn_blocking(move || {
            if is_sitemap {
                return page::read_sitemap(body);
            }
            Got::Page(Box::new(page::read(body, &agent)))
        });
        let failed = |error| Got::Failed(format!("it cannot be parsed: {error}"));
        parsed.await.unwrap_or_else(failed)
    }

    /// Fetches a page. Each redirect is checked like a link.
    async fn fetch(&self, url: &Url, known: Option<&str>, is_sitemap: bool) -> Result<Body, Got> {
        let (mut at, mut known) = (url.clone(), known);
        for _ in 0..=HOPS {
            let answer = self.send(Method::GET, &at, known).await;
            let answer = answer.map_err(Got::Failed)?;
            if let Some(to) = target(&answer, &at) {
                if matches!(answer.status().as_u16(), 301 | 308) && at == *url && to != at {
                    return Err(Got::Moved(to));
                }
                if !self.settings.has(&to) || self.allows(&to).await != Allowed::Yes {
                    return Err(Got::Left(format!(
                        "it leads to `{to}`, where this source may not read"
                    )));
                }
                at = to;
                continue;
            }
            return match answer.status().as_u16() {
                304 if page::hides(answer.headers(), self.settings.agent()) && known.is_some() => {
                    known = None;
                    continue;
                }
                304 if known.is_some() => Err(Got::Same),
                404 | 410 => Err(Got::Gone),
                401 | 403 => Err(Got::Left(format!("the site answers {}", answer.status()))),
                200 | 203 => body(answer, at, is_sitemap).await,
                _ => Err(Got::Failed(format!("the site answers {}", answer.status()))),
            };
        }
        Err(Got::Failed(format!("it redirects more than {HOPS} times")))
    }

    /// Sends one request when the host may be called, and again when the site says when.
    async fn send(
        &self,
        method: Method,
        url: &Url,
        known: Option<&str>,
    ) -> Result<Response, String> {
        let mut patience = 2;
        loop {
            if url.path() != RULES {
                self.turn(url).await;
            }
            let mut request = self.client.request(method.clone(), url.clone());
            if let Some(version) = known {
                let condition = etag(version).map_or(IF_MODIFIED_SINCE, |_| IF_NONE_MATCH);
                request = request.header(condition, version);
            }
            let answer = request.send().await.map_err(causes)?;
            let wait = text(answer.headers(), RETRY_AFTER).and_then(|it| it.parse().ok());
            match (answer.status().as_u16(), wait.map(Duration::from_secs)) {
                (429 | 503, Some(wait)) if patience > 0 && wait <= LONGEST_WAIT => {
                    patience -= 1;
                    // All other calls of the host wait as well.
                    turns(|turns| turns.insert(url.authority().to_owned(), Instant::now() + wait));
                    sleep(wait).await;
                }
                _ => return Ok(answer),
            }
        }
    }

    /// Waits until the host may be called again: one second after the last call, or the delay in its rules.
    async fn turn(&self, url: &Url) {
        let cell = self.cell(url);
        let robot = cell.get().and_then(Option::as_ref);
        let delay = robot.and_then(|it| it.delay).unwrap_or(1.0);
        let delay = Duration::try_from_secs_f32(delay).unwrap_or(LONGEST_WAIT);
        let at = turns(|turns| {
            let now = Instant::now();
            let last = turns.get(url.authority());
            let at = last.map_or(now, |last| now.max(*last + delay.min(LONGEST_WAIT)));
            turns.insert(url.authority().to_owned(), at);
            at
        });
        sleep_until(at).await;
    }
}

fn turns<T>(with: impl FnOnce(&mut HashMap<String, Instant>) -> T) -> T {
    with(&mut TURNS.lock().unwrap_or_else(PoisonError::into_inner))
}

async fn body(answer: Response, url: Url, is_sitemap: bool) -> Result<Body, Got> {
    let headers = answer.headers().clone();
    let media_type = text(&headers, CONTENT_TYPE).unwrap_or("text/html");
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let media_type = media_type.to_ascii_lowercase();
    let limit = match media_type.as_str() {
        _ if is_sitemap => FILE,
        "text/html" | "application/xhtml+xml" | "text/plain" | "text/markdown" => PAGE,
        file if page::is_document(file) => FILE,
        other => return Err(Got::Textless(format!("`{other}` has no text"))),
    };
    match read(answer, limit, false).await {
        Ok(bytes) => Ok(Body {
            url,
            version: version(&headers).to_owned(),
            media_type,
            headers,
            size: bytes.len(),
            bytes,
        }),
        Err(None) => Err(Got::Left(format!("it has more than {} MiB", limit >> 20))),
        Err(Some(why)) => Err(Got::Failed(why)),
    }
}

/// Reads a body. The error is empty when the body is too large. With `may_cut`, its beginning is returned instead.
async fn read(
    mut answer: Response,
    limit: usize,
    may_cut: bool,
) -> Result<Vec<u8>, Option<String>> {
    let announced = answer.content_length().map(usize::try_from);
    let announced = announced.and_then(Result::ok).unwrap_or_default();
    let mut bytes = Vec::with_capacity(announced.min(limit));
    while let Some(chunk) = answer.chunk().await.map_err(|it| Some(causes(it)))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limit {
            bytes.truncate(limit);
            return if may_cut { Ok(bytes) } else { Err(None) };
        }
    }
    Ok(bytes)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn target(answer: &Response, from: &Url) -> Option<Url> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    // Some servers do not escape it.
    let to = String::from_utf8_lossy(answer.headers().get(LOCATION)?.as_bytes());
    Some(normal(from.join(&to).ok()?))
}

/// Formats the causes of an error, which say what to do.
fn causes(error: reqwest::Error) -> String {
    let late = error.is_timeout().then_some("no answer came in time");
    let error = anyhow!(error);
    let causes = error.chain().skip(1).map(ToString::to_string);
    let mut said: Vec<_> = late.map(str::to_owned).into_iter().chain(causes).collect();
    said.dedup();
    said.join(": ")
}
