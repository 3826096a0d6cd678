//! Requests the pages of a site: at its pace, by its rules, and never from the internal network unless the root is
//! there.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use omni_connector::prelude::*;
use reqwest::{
    Client, Method, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{
        ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION, RETRY_AFTER,
    },
};
use texting_robots::Robot;
use tokio::{
    net::lookup_host,
    time::{Instant, sleep, sleep_until},
};

use crate::settings::{Settings, normal};

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

/// The time at which each host may be called again, for all sources of the process.
static TURNS: LazyLock<Mutex<HashMap<String, Instant>>> = LazyLock::new(Mutex::default);

/// A site, and the rules of its hosts.
pub(crate) struct Site<'a> {
    settings: &'a Settings,
    client: Client,
    /// The rules by origin. `None` allows nothing for now.
    robots: BTreeMap<String, Option<Robot>>,
}

/// The version of a response, as the site states it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Version {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
}

pub(crate) enum Got {
    Body(Body),
    /// The page is unchanged.
    Same,
    /// The page has moved permanently.
    Moved(Url),
    Gone,
    /// The page cannot be used, for this reason. Its document stays.
    Left(String),
    /// It is a file of this media type, which has neither text nor links.
    Textless(String),
    /// The site failed to answer.
    Failed(String),
}

pub(crate) struct Body {
    /// The address after temporary redirects.
    pub(crate) url: Url,
    pub(crate) version: Version,
    pub(crate) media_type: String,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

#[derive(PartialEq)]
pub(crate) enum Allowed {
    Yes,
    No,
    /// The host's rules cannot be read.
    Unknown,
}

impl<'a> Site<'a> {
    pub(crate) async fn open(settings: &'a Settings) -> Result<Self> {
        let root = settings.root();
        let host = root.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let found = lookup_host((host, 0)).await.with_context(|| {
            format!("the host `{host}` of the setting `root_url` is not found; correct it")
        })?;
        let mut client = HttpClient::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(settings.agent())
            .timeout(Duration::from_mins(1));
        if !found.into_iter().any(|it| is_private(it.ip())) {
            client = client.dns_resolver(PublicOnly);
        }
        let client = client
            .build()
            .context("the setting `user_agent` cannot be sent")?;
        let robots = BTreeMap::new();
        Ok(Self {
            settings,
            client,
            robots,
        })
    }

    /// Checks that the root can be reached, without reading its body.
    pub(crate) async fn check(&mut self) -> Result<()> {
        let root = self.settings.root();
        let answer = self.send(Method::HEAD, &root, None).await;
        let answer = answer.map_err(|why| {
            anyhow!("the setting `root_url` is `{root}`, which cannot be read: {why}; correct it, or the server and its certificate")
        })?;
        match target(&answer, &root) {
            Some(to) if !self.settings.has(&to) => bail!(leads_away(&to)),
            _ => Ok(()),
        }
    }

    /// Returns whether the rules of an address's host allow it. The rules are read once.
    pub(crate) async fn allows(&mut self, url: &Url) -> Allowed {
        let origin = url.origin().ascii_serialization();
        if !self.robots.contains_key(&origin) {
            let robot = self.read_robots(url).await;
            self.robots.insert(origin.clone(), robot);
        }
        match self.robots.get(&origin) {
            _ if !self.settings.obeys_robots() => Allowed::Yes,
            Some(Some(robot)) if robot.allowed(url.as_str()) => Allowed::Yes,
            Some(Some(_)) => Allowed::No,
            _ => Allowed::Unknown,
        }
    }

    /// Returns the sitemaps of the root's host.
    pub(crate) fn sitemaps(&self) -> Vec<Url> {
        let root = self.settings.root();
        let rules = self.robots.get(&root.origin().ascii_serialization());
        let named = rules.into_iter().flatten().flat_map(|it| &it.sitemaps);
        let named = named.filter_map(|it| root.join(it).ok());
        let mut found: Vec<_> = named.chain(root.join("/sitemap.xml")).map(normal).collect();
        found.retain(|url| self.settings.has(url));
        found
    }

    async fn read_robots(&self, url: &Url) -> Option<Robot> {
        let agent = self.settings.agent();
        let name = agent.split(['/', ' ']).next().unwrap_or_default();
        let mut at = url.join("/robots.txt").ok()?;
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

    /// Fetches a page; a page with a known version only if it changed. Each redirect is checked like a link.
    pub(crate) async fn fetch(
        &mut self,
        url: &Url,
        known: Option<&Version>,
        is_sitemap: bool,
    ) -> Got {
        let mut at = url.clone();
        for _ in 0..=HOPS {
            let answer = match self.send(Method::GET, &at, known).await {
                Ok(answer) => answer,
                Err(why) => return Got::Failed(why),
            };
            if let Some(to) = target(&answer, &at) {
                if matches!(answer.status().as_u16(), 301 | 308) && at == *url {
                    return Got::Moved(to);
                }
                if !self.settings.has(&to) || self.allows(&to).await != Allowed::Yes {
                    return Got::Left(format!(
                        "it leads to `{to}`, where this source may not read"
                    ));
                }
                at = to;
                continue;
            }
            return match answer.status().as_u16() {
                304 if known.is_some() => Got::Same,
                404 | 410 => Got::Gone,
                401 | 403 => Got::Left(format!("the site answers {}", answer.status())),
                200..=299 => body(answer, at, is_sitemap).await,
                _ => Got::Failed(format!("the site answers {}", answer.status())),
            };
        }
        Got::Failed(format!("it redirects more than {HOPS} times"))
    }

    /// Sends one request when the host may be called, and again when the site says when.
    async fn send(
        &self,
        method: Method,
        url: &Url,
        known: Option<&Version>,
    ) -> Result<Response, String> {
        let mut patience = 2;
        loop {
            self.turn(url).await;
            let mut request = self.client.request(method.clone(), url.clone());
            if let Some(etag) = known.and_then(|it| it.etag.as_ref()) {
                request = request.header(IF_NONE_MATCH, etag);
            }
            if let Some(modified) = known.and_then(|it| it.modified.as_ref()) {
                request = request.header(IF_MODIFIED_SINCE, modified);
            }
            let answer = request.send().await.map_err(|error| causes(&error))?;
            let wait = text(answer.headers(), RETRY_AFTER).and_then(|it| it.parse().ok());
            match (answer.status().as_u16(), wait.map(Duration::from_secs)) {
                (429 | 503, Some(wait)) if patience > 0 && wait <= LONGEST_WAIT => {
                    patience -= 1;
                    sleep(wait).await;
                }
                _ => return Ok(answer),
            }
        }
    }

    /// Waits until the host may be called again: one second after the last call, or the delay in its rules.
    async fn turn(&self, url: &Url) {
        let robot = self.robots.get(&url.origin().ascii_serialization());
        let delay = robot.and_then(|it| it.as_ref()?.delay).unwrap_or(1.0);
        let delay = Duration::try_from_secs_f32(delay).unwrap_or(LONGEST_WAIT);
        let at = {
            let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
            let host = url.authority().to_owned();
            let next = turns.entry(host).or_insert_with(Instant::now);
            let at = (*next).max(Instant::now());
            *next = at + delay.min(LONGEST_WAIT);
            at
        };
        sleep_until(at).await;
    }
}

pub(crate) fn leads_away(to: &Url) -> String {
    format!(
        "the setting `root_url` leads to `{to}`, which does not belong to it; enter that address instead"
    )
}

async fn body(answer: Response, url: Url, is_sitemap: bool) -> Got {
    let headers = answer.headers().clone();
    let text = |name| text(&headers, name).map(str::to_owned);
    let media_type = text(reqwest::header::CONTENT_TYPE).unwrap_or_else(|| "text/html".to_owned());
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let media_type = media_type.to_ascii_lowercase();
    let limit = match media_type.as_str() {
        _ if is_sitemap => FILE,
        "text/html" | "application/xhtml+xml" | "text/plain" | "text/markdown" => PAGE,
        file if crate::page::is_document(file) => FILE,
        other => return Got::Textless(other.to_owned()),
    };
    let version = Version {
        etag: text(ETAG),
        modified: text(LAST_MODIFIED),
    };
    match read(answer, limit, false).await {
        Ok(bytes) => Got::Body(Body {
            url,
            version,
            media_type,
            headers,
            bytes,
        }),
        Err(None) => Got::Left(format!("it has more than {} MiB", limit >> 20)),
        Err(Some(why)) => Got::Failed(why),
    }
}

/// Reads a body. The error is empty when the body is too large. With `may_cut`, its beginning is returned instead.
async fn read(
    mut answer: Response,
    limit: usize,
    may_cut: bool,
) -> Result<Vec<u8>, Option<String>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|it| Some(causes(&it)))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limit {
            bytes.truncate(limit);
            return if may_cut { Ok(bytes) } else { Err(None) };
        }
    }
    Ok(bytes)
}

fn text(headers: &HeaderMap, name: reqwest::header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn target(answer: &Response, from: &Url) -> Option<Url> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    Some(normal(from.join(text(answer.headers(), LOCATION)?).ok()?))
}

/// Formats the causes of an error, which say what to do.
fn causes(error: &reqwest::Error) -> String {
    let mut said = Vec::new();
    let mut next: Option<&dyn Error> = error.source();
    while let Some(cause) = next {
        said.push(cause.to_string());
        next = cause.source();
    }
    said.dedup();
    if error.is_timeout() {
        said.insert(0, "no answer came in time".to_owned());
    }
    said.join(": ")
}

/// Resolves names to public addresses only, so that no name leads into the internal network.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.filter(|it| !is_private(it.ip())).collect();
            if found.is_empty() {
                return Err("it is inside the network, and `root_url` is not".into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Returns whether an address is outside of the public internet.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            ip.is_private()
                || ip.is_link_local()
                || matches!(a, 0 | 127 | 224..)
                || (a == 100 && b & 0xc0 == 64)
                || (a == 198 && b & 0xfe == 18)
                || (a, b, c) == (192, 0, 0)
        }
        IpAddr::V6(ip) => {
            let segments = ip.segments();
            let inner = |high: u16, low: u16| {
                let bits = u32::from(high) << 16 | u32::from(low);
                is_private(Ipv4Addr::from_bits(bits).into())
            };
            match segments {
                // Addresses that contain one of version 4: mapped, translated, 6to4.
                [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                    inner(high, low)
                }
                [0x2002, high, low, ..] => inner(high, low),
                // Only 2000::/3 is assigned.
                _ => segments[0] & 0xe000 != 0x2000,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(is_private(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            assert!(!is_private(ip.parse().unwrap()), "{ip}");
        }
    }

    #[tokio::test]
    async fn no_public_name_resolves_to_the_internal_network() {
        assert!(
            PublicOnly
                .resolve("localhost".parse().unwrap())
                .await
                .is_err()
        );
    }
}
