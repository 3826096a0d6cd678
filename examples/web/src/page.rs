//! Reads a page: its text as Markdown, its links and its metadata. Also reads sitemaps.

use std::{borrow::Cow, collections::BTreeSet, io::Read, rc::Rc};

use encoding_rs::{Encoding, UTF_8};
use flate2::read::MultiGzDecoder;
use htmd::{
    HtmlToMarkdown, Node,
    options::{BulletListMarker, Options},
};
use markup5ever_rcdom::NodeData;
use omni_connector::prelude::Url;
use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256};

use crate::{
    fetch::{Body, Got},
    settings::normal,
};

/// The deepest nesting that is converted, since the converter recurses. A deeper page gives only its plain text.
const DEEPEST: usize = 500;
/// The number of links of a page that are followed, and of addresses in a sitemap.
const LINKS: usize = 50_000;
pub(crate) const ADDRESSES: usize = 50_000;
/// The size limit of a decompressed sitemap, in bytes.
const SITEMAP: u64 = 50 << 20;
/// Elements that are dropped: those on every page of a site, and those without text.
const BESIDE: [&str; 8] = [
    "nav", "header", "footer", "script", "style", "noscript", "template", "svg",
];

#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) text: String,
    /// The SHA-256 of its text, or of its bytes if it has none.
    pub(crate) hash: String,
    pub(crate) links: Vec<Url>,
    /// Whether it has more links.
    pub(crate) is_cut: bool,
    /// Whether it asks not to be indexed.
    pub(crate) is_hidden: bool,
    /// The canonical address that it declares.
    pub(crate) canonical: Option<Url>,
}

/// Returns whether Omni extracts the text of such a file.
pub(crate) fn is_document(media_type: &str) -> bool {
    media_type == "application/pdf"
        || media_type == "application/msword"
        || media_type.starts_with("application/vnd.ms-")
        || media_type.starts_with("application/vnd.openxmlformats-officedocument.")
        || media_type.starts_with("application/vnd.oasis.opendocument.")
}

/// Reads a page of HTML, or leaves the text of a file to Omni. Only the bytes of a file are kept.
pub(crate) fn read(mut body: Body, agent: &str) -> (Page, Body) {
    let mut rules = Rules::of(&body.headers, agent);
    let mut page = match body.media_type.as_str() {
        "text/html" | "application/xhtml+xml" => read_html(&body, &mut rules, agent),
        file => Page {
            title: file_name(&body.url),
            text: if file.starts_with("text/") {
                decode(&body, None).into_owned()
            } else {
                String::new()
            },
            ..Page::default()
        },
    };
    page.is_hidden = rules.is_hidden;
    if rules.hides_links {
        page.links.clear();
        page.is_cut = false;
    }
    let text = format!("{}\n\n{}", page.title, page.text);
    page.hash = if page.text.is_empty() {
        hex(&body.bytes)
    } else {
        hex(text.as_bytes())
    };
    page.text = text;
    if !is_document(&body.media_type) {
        body.bytes = Vec::new();
    }
    (page, body)
}

/// Returns the SHA-256 of some bytes.
fn hex(bytes: &[u8]) -> String {
    let bytes = Sha256::digest(bytes);
    let bytes = bytes.iter().map(|byte| format!("{byte:02x}"));
    bytes.collect::<Vec<_>>().concat()
}

pub(crate) fn file_name(url: &Url) -> String {
    let name = url.path_segments().and_then(Iterator::last);
    name.unwrap_or_default().to_owned()
}

/// A page's rules for robots.
#[derive(Default)]
struct Rules {
    is_hidden: bool,
    hides_links: bool,
}

/// Returns whether the headers of an answer ask not to index the page.
pub(crate) fn hides(headers: &HeaderMap, agent: &str) -> bool {
    Rules::of(headers, agent).is_hidden
}

impl Rules {
    fn of(headers: &HeaderMap, agent: &str) -> Self {
        let mut rules = Self::default();
        for value in headers.get_all("x-robots-tag") {
            rules.add(value.to_str().unwrap_or_default(), agent);
        }
        rules
    }

    /// Adds the directives of a tag: `noindex, nofollow`, or `somebot: noindex`, which only applies to that robot.
    fn add(&mut self, said: &str, agent: &str) {
        let said = said.to_ascii_lowercase();
        let words = match said.split_once(':') {
            Some((name, words)) if !name.contains([',', ' ']) => {
                let agent = agent.to_ascii_lowercase();
                if !agent.starts_with(name) {
                    return;
                }
                words.to_owned()
            }
            _ => said,
        };
        for word in words.split([',', ' ']) {
            self.is_hidden |= matches!(word, "noindex" | "none");
            self.hides_links |= matches!(word, "nofollow" | "none");
        }
    }
}

#[allow(
    clippy::too_many_lines,
    reason = "one pass over the elements of a page"
)]
fn read_html(body: &Body, rules: &mut Rules, agent: &str) -> Page {
    let head = String::from_utf8_lossy(&body.bytes[..body.bytes.len().min(1024)]).into_owned();
    let html = decode(body, Some(&head));
    let options = Options {
        bullet_list_marker: BulletListMarker::Asterisk,
        ul_bullet_spacing: 1,
        ..Options::default()
    };
    let skipped = BESIDE.into_iter().chain(["title"]).collect();
    let converter = HtmlToMarkdown::builder()
        .options(options)
        .skip_tags(skipped)
        .build();
    // Parsing takes time that grows with the square of the depth. So of a page that is too deep, only the head is parsed.
    let is_cut = nests_too_deep(&html);
    let parsed = match html.split("<body").next() {
        _ if !is_cut => &*html,
        Some(head) if !nests_too_deep(head) => head,
        _ => "",
    };
    let mut page = Page {
        is_cut,
        ..Page::default()
    };
    let Ok(tree) = converter.html_to_tree(parsed) else {
        return page;
    };
    let mut base = body.url.clone();
    let (mut found, mut mains, mut articles) = (Vec::new(), Vec::new(), Vec::new());
    let (mut deepest, mut words) = (0, String::new());
    let mut open = vec![(Rc::clone(&tree), 0, false)];
    while let Some((node, depth, mut is_beside)) = open.pop() {
        deepest = deepest.max(depth);
        if let NodeData::Text { contents } = &node.data
            && !is_beside
        {
            words.push_str(&contents.borrow());
            words.push(' ');
        }
        if let NodeData::Element { name, attrs, .. } = &node.data {
            let attrs = attrs.borrow();
            let get = |key: &str| {
                let attr = attrs.iter().find(|it| &*it.name.local == key);
                attr.map(|it| it.value.trim().to_owned())
            };
            let tag = &*name.local;
            is_beside |= tag == "title" || BESIDE.contains(&tag);
            match tag {
                "title" if page.title.is_empty() => page.title = inner_text(&node),
                "main" => mains.push(Rc::clone(&node)),
                "article" => articles.push(Rc::clone(&node)),
                "base" => {
                    if let Some(it) = get("href").and_then(|it| body.url.join(&it).ok()) {
                        base = it;
                    }
                }
                "a" | "area" => {
                    let rel = get("rel").unwrap_or_default().to_ascii_lowercase();
                    if !rel.split_whitespace().any(|it| it == "nofollow") {
                        found.extend(get("href").map(|it| (false, it)));
                    }
                }
                "iframe" | "frame" => found.extend(get("src").map(|it| (false, it))),
                "link" => {
                    let rel = get("rel").unwrap_or_default().to_ascii_lowercase();
                    if rel == "canonical" {
                        found.extend(get("href").map(|it| (true, it)));
                    } else if matches!(&*rel, "next" | "prev")
                        || (rel == "alternate" && get("hreflang").is_some())
                    {
                        found.extend(get("href").map(|it| (false, it)));
                    }
                }
                "meta" => {
                    let content = get("content").unwrap_or_default();
                    let name = get("name").unwrap_or_default().to_ascii_lowercase();
                    let is_mine = !name.is_empty() && agent.to_ascii_lowercase().starts_with(&name);
                    if name == "robots" || is_mine {
                        rules.add(&content, agent);
                    }
                    if get("http-equiv").is_some_and(|it| it.eq_ignore_ascii_case("refresh")) {
                        let at = content.to_ascii_lowercase().find("url=");
                        let to = at.map(|at| content[at + 4..].trim_matches(['"', '\'', ' ']));
                        found.extend(to.map(|it| (false, it.to_owned())));
                    }
                }
                _ => {}
            }
        }
        let children = node.children.borrow();
        open.extend(
            children
                .iter()
                .rev()
                .map(|it| (Rc::clone(it), depth + 1, is_beside)),
        );
    }
    let mut seen = BTreeSet::new();
    for (is_canonical, href) in found {
        let Ok(url) = base.join(&href) else { continue };
        let url = normal(url);
        if is_canonical {
            page.canonical = Some(url);
        } else if page.links.len() == LINKS {
            page.is_cut = true;
        } else if seen.insert(url.clone()) {
            page.links.push(url);
        }
    }
    let main = [mains, articles]
        .into_iter()
        .find_map(|it| <[_; 1]>::try_from(it).ok());
    page.text = if is_cut {
        let texts = html.split('<');
        let texts = texts.map(|it| it.split_once('>').map_or(it, |it| it.1));
        let words = texts.flat_map(str::split_whitespace);
        words.collect::<Vec<_>>().join(" ")
    } else if deepest > DEEPEST {
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        converter.tree_to_markdown(main.as_ref().map_or(&tree, |[main]| main))
    };
    page
}

/// Returns whether too many elements are open at once, or opened again by those that follow. Elements that may end without
/// a tag do not count.
fn nests_too_deep(html: &str) -> bool {
    const UNENDED: [&str; 21] = [
        "a", "p", "li", "dd", "dt", "tr", "td", "th", "option", "br", "hr", "img", "meta", "link",
        "input", "col", "area", "source", "wbr", "tbody", "thead",
    ];
    /// Elements that were not ended are opened again in each element that follows.
    const REOPENED: [&str; 12] = [
        "b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u",
    ];
    let (mut open, mut reopened, mut all_reopened) = (0_usize, 0_usize, 0_usize);
    html.split('<').skip(1).any(|it| {
        let is_end = it.starts_with('/');
        let name = it.trim_start_matches('/');
        let end = name.find(|c: char| !c.is_ascii_alphanumeric());
        let name = name[..end.unwrap_or(name.len())].to_ascii_lowercase();
        if REOPENED.contains(&name.as_str()) {
            reopened = if is_end {
                reopened.saturating_sub(1)
            } else {
                reopened + 1
            };
        }
        // Pages for people have few of them at once.
        all_reopened += reopened.saturating_sub(8);
        if !name.is_empty() && !UNENDED.contains(&name.as_str()) {
            open = if is_end {
                open.saturating_sub(1)
            } else {
                open + 1
            };
        }
        open > 5_000 || all_reopened > 2_000_000
    })
}

fn inner_text(node: &Rc<Node>) -> String {
    let mut text = String::new();
    for child in node.children.borrow().iter() {
        if let NodeData::Text { contents } = &child.data {
            text.push_str(&contents.borrow());
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Decodes a body: by its byte order mark, its header, the declaration in the page's head, or as UTF-8.
fn decode<'a>(body: &'a Body, head: Option<&str>) -> Cow<'a, str> {
    let header = body
        .headers
        .get("content-type")
        .and_then(|it| it.to_str().ok());
    let label = |text: &str| {
        let at = text.to_ascii_lowercase().find("charset")? + "charset".len();
        let value = text.get(at..)?.trim_start().strip_prefix('=')?;
        let value = value.trim_start_matches([' ', '"', '\'']);
        let end = value.find([' ', '"', '\'', ';', '/', '>']);
        Encoding::for_label(&value.as_bytes()[..end.unwrap_or(value.len())])
    };
    let encoding = header.and_then(label).or_else(|| head.and_then(label));
    let (text, ..) = encoding.unwrap_or(UTF_8).decode(&body.bytes);
    text
}

/// Reads a sitemap: the addresses in it, and whether each is a sitemap itself. One that breaks off has failed, since pages
/// without another link would seem to be gone.
pub(crate) fn read_sitemap(mut body: Body) -> Got {
    if body.bytes.starts_with(&[0x1f, 0x8b]) {
        let mut bytes = Vec::new();
        let plain = MultiGzDecoder::new(&*body.bytes);
        match plain.take(SITEMAP + 1).read_to_end(&mut bytes) {
            Ok(size) if size as u64 <= SITEMAP => body.bytes = bytes,
            Ok(_) => return Got::Failed(format!("it has more than {} MiB", SITEMAP >> 20)),
            Err(error) => return Got::Failed(format!("it cannot be decompressed: {error}")),
        }
    }
    let text = String::from_utf8_lossy(&body.bytes);
    let is_index = text.contains("<sitemapindex");
    let is_xml = is_index || text.contains("<urlset");
    let end = if is_index {
        "</sitemapindex>"
    } else {
        "</urlset>"
    };
    let is_empty = text.trim_end().ends_with("/>") && !text.contains("<loc>");
    if body.bytes.is_empty() || (is_xml && !text.contains(end) && !is_empty) {
        return Got::Failed("it breaks off".to_owned());
    }
    if !is_xml
        && text
            .trim_start_matches('\u{feff}')
            .trim_start()
            .starts_with('<')
    {
        return Got::Textless("it is no sitemap".to_owned());
    }
    let lines = text.lines().filter(|_| !is_xml);
    let places = text.split("<loc>").skip(1).filter(|_| is_xml);
    let places = places.filter_map(|it| it.split("</loc>").next());
    let places = places.map(|it| it.trim().trim_start_matches("<![CDATA["));
    let places = places.map(|it| it.trim_end_matches("]]>").replace("&amp;", "&"));
    let urls = places.chain(lines.map(str::to_owned));
    let urls = urls.filter_map(|it| Url::parse(it.trim()).ok());
    let urls = urls.take(ADDRESSES + 1).map(|it| (normal(it), is_index));
    Got::Sitemap(urls.collect(), body.version)
}
