//! Tracks a walk's progress and judges each page: its successor, or why the walk proves nothing.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use serde_json::Value;

use super::{
    Incomplete, Next, Position, ResumePoint,
    end::End,
    kinds::{Kind, Paging},
};
use crate::http::{Answer, Api, At, api::Unresolved, auth::remove_parameter, path::shown};

/// The number of empty pages in a row that counts as no progress.
const MOST_EMPTY: u32 = 100;

/// The progress of a walk.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) position: Position,
    /// The number of pages read.
    pub(super) page: u32,
    /// The number of items read.
    pub(super) seen: u64,
    pub(super) odd: u64,
    /// The smallest and the largest total in an answer, and the latest one.
    least: Option<u64>,
    most: Option<u64>,
    last_total: Option<u64>,
    empty: u32,
    hasher: RandomState,
    /// The page that led to each position, and the page with these items, by hash.
    led_by: HashMap<u64, u32>,
    had: HashMap<u64, u32>,
    /// The items of a list with a total, by hash, and how many came again: a repeated item must not stand for a missing one.
    items: HashSet<u64>,
    repeated: u64,
}

/// Why a page is rejected.
#[derive(Debug)]
pub(super) enum PageError {
    Incomplete(Incomplete),
    Unreadable(String),
}

impl From<Incomplete> for PageError {
    fn from(incomplete: Incomplete) -> Self {
        Self::Incomplete(incomplete)
    }
}

/// The successor of a page.
#[derive(Debug)]
pub(super) enum Successor {
    Page,
    /// None, and everything was read.
    ProvenEnd,
    /// None, for a reason that proves nothing.
    End(Incomplete),
}

impl Progress {
    pub(super) fn new(start: Position) -> Self {
        let mut progress = Self {
            position: start,
            page: 0,
            seen: 0,
            odd: 0,
            least: None,
            most: None,
            last_total: None,
            empty: 0,
            hasher: RandomState::new(),
            led_by: HashMap::new(),
            had: HashMap::new(),
            items: HashSet::new(),
            repeated: 0,
        };
        let hash = progress.hasher.hash_one(progress.position_text());
        progress.led_by.insert(hash, 0);
        progress
    }

    pub(super) fn resumed(point: ResumePoint) -> Self {
        Self {
            page: point.page,
            seen: point.seen,
            odd: point.odd,
            least: point.total,
            most: point.total,
            last_total: point.total,
            ..Self::new(point.next)
        }
    }

    pub(super) fn resume_point(&self) -> ResumePoint {
        ResumePoint {
            next: self.position.clone(),
            page: self.page,
            seen: self.seen,
            total: self.most,
            odd: self.odd,
        }
    }

    pub(super) const fn total(&self) -> Option<u64> {
        self.last_total
    }

    fn position_text(&self) -> String {
        match &self.position {
            Position::Start => String::new(),
            Position::Token(token) => format!("token {token}"),
            Position::Url(url) => format!("url {url}"),
            Position::Number(number) | Position::Offset(number) => number.to_string(),
        }
    }

    /// Counts a page with these items and returns its successor. `position` is then that of the next page.
    pub(super) fn advance(
        &mut self,
        paging: &Paging,
        api: &Api,
        answer: &Answer,
        items: &[Value],
        at: &At,
    ) -> Result<Successor, PageError> {
        self.page += 1;
        let at = || Box::new(at.clone());
        self.count(paging, answer, items, &at)?;
        if let Some(limit) = paging.cap.filter(|limit| self.seen >= *limit) {
            return Ok(Successor::End(Incomplete::Capped { limit, at: at() }));
        }
        match self.next(paging, api, answer, items, &at)? {
            Some(next) => {
                self.position = next;
                let text = self.position_text();
                let (hash, page) = (self.hasher.hash_one(&text), self.page);
                if let Some(first) = self.led_by.insert(hash, page) {
                    let token = match &self.position {
                        Position::Url(url) => url
                            .parse()
                            .map_or_else(|_| String::new(), |url| shown(&url)),
                        _ => crate::http::answer::short(&text),
                    };
                    return Err(Incomplete::TokenSeenBefore {
                        token,
                        first,
                        at: at(),
                    }
                    .into());
                }
                Ok(Successor::Page)
            }
            None => self.end(paging, &at),
        }
    }

    fn count(
        &mut self,
        paging: &Paging,
        answer: &Answer,
        items: &[Value],
        at: &impl Fn() -> Box<At>,
    ) -> Result<(), PageError> {
        if let Some(pointer) = &paging.total {
            match number(answer, pointer) {
                Some(total) => {
                    let shrunk = self.last_total.filter(|last| total < *last);
                    if let (Some(before), true) = (shrunk, paging.counts()) {
                        return Err(Incomplete::Shifted {
                            before,
                            now: total,
                            at: at(),
                        }
                        .into());
                    }
                    self.least = Some(self.least.map_or(total, |least| least.min(total)));
                    self.most = self.most.max(Some(total));
                    self.last_total = Some(total);
                }
                None if self.most.is_none() || matches!(paging.end, End::Total) => {
                    return Err(PageError::Unreadable(format!(
                        "it has no number at `{pointer}`"
                    )));
                }
                None => {}
            }
        }
        self.seen += items.len() as u64;
        if items.is_empty() {
            self.empty += 1;
            if self.empty > MOST_EMPTY {
                return Err(Incomplete::NoProgress {
                    pages: self.empty,
                    at: at(),
                }
                .into());
            }
            return Ok(());
        }
        self.empty = 0;
        let items: Vec<u64> = items.iter().map(|it| self.hasher.hash_one(it)).collect();
        let hash = self.hasher.hash_one(&items);
        if let Some(first) = self.had.insert(hash, self.page) {
            return Err(Incomplete::PageSeenBefore { first, at: at() }.into());
        }
        if paging.total.is_some() {
            let repeated = items.iter().filter(|item| !self.items.insert(**item));
            self.repeated += repeated.count() as u64;
        }
        Ok(())
    }

    /// Returns the start of the next page; none if this was the last.
    fn next(
        &self,
        paging: &Paging,
        api: &Api,
        answer: &Answer,
        items: &[Value],
        at: &impl Fn() -> Box<At>,
    ) -> Result<Option<Position>, PageError> {
        if paging.counts() {
            return self.next_number(paging, answer, items, at);
        }
        let has_more = match &paging.has_more {
            Some(pointer) => Some(boolean(answer, pointer)?),
            None => None,
        };
        let next = match &paging.kind {
            Kind::Single => match answer.next_link() {
                Ok(None) => None,
                _ => {
                    return Err(PageError::Unreadable(
                        "it links to a next page, so it is not the whole list: use `Paging::link_header`".to_owned(),
                    ));
                }
            },
            Kind::LinkHeader => answer
                .next_link()
                .map_err(PageError::Unreadable)?
                .map(Position::Url),
            Kind::NextUrl(pointer) => match answer.at(pointer) {
                None | Some(Value::Null | Value::Bool(false)) => None,
                Some(Value::String(url)) if url.is_empty() => None,
                Some(Value::String(url)) => Some(Position::Url(url.clone())),
                Some(_) => return Err(PageError::Unreadable(format!("`{pointer}` is not a URL"))),
            },
            Kind::Cursor(pointer) => token(answer, pointer)?,
            Kind::Relay(pointer) => {
                let page_info = format!("{pointer}/pageInfo");
                let has_next = boolean(answer, &format!("{page_info}/hasNextPage"))?;
                let cursor = if has_next {
                    token(answer, &format!("{page_info}/endCursor"))?
                } else {
                    None
                };
                if has_next && cursor.is_none() {
                    return Err(Incomplete::NoNextThoughMore { at: at() }.into());
                }
                cursor
            }
            Kind::By(next) => match next(answer, &self.position) {
                Next::At(position) => Some(position),
                Next::End => None,
                Next::Contradiction(why) => return Err(PageError::Unreadable(why)),
            },
            Kind::Number(_) | Kind::Offset => None,
        };
        match (next, has_more) {
            (_, Some(false)) => Ok(None),
            (None, Some(true)) => Err(Incomplete::NoNextThoughMore { at: at() }.into()),
            (Some(Position::Url(url)), _) => Self::link(api, answer, &url, at).map(Some),
            (next, _) => Ok(next),
        }
    }

    /// Returns the link to the next page, without a key that it may contain.
    fn link(
        api: &Api,
        answer: &Answer,
        url: &str,
        at: &impl Fn() -> Box<At>,
    ) -> Result<Position, PageError> {
        let joined = answer.url().join(url);
        let joined = joined.map_err(|_| {
            PageError::Unreadable("its link to the next page is not a URL".to_owned())
        })?;
        let admitted = api
            .admit(api.secured(joined))
            .map_err(|unresolved| match unresolved {
                Unresolved::Foreign(origin) => {
                    PageError::from(Incomplete::ForeignNext { origin, at: at() })
                }
                Unresolved::Invalid(why) => PageError::Unreadable(why),
            });
        let mut url = admitted?;
        if let Some(name) = api.settings().auth.secret_parameter() {
            remove_parameter(&mut url, name);
        }
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(Position::Url(url.into()))
    }

    fn next_number(
        &self,
        paging: &Paging,
        answer: &Answer,
        items: &[Value],
        at: &impl Fn() -> Box<At>,
    ) -> Result<Option<Position>, PageError> {
        let is_over = match &paging.end {
            End::Empty => items.is_empty(),
            End::Short => {
                let size = paging.size.as_ref().map_or(1, |(_, size)| *size);
                (items.len() as u64) < size
            }
            End::HasMore(pointer) => !boolean(answer, pointer)?,
            End::Total => {
                let total = self.last_total.unwrap_or_default();
                if items.is_empty() && self.seen < total {
                    return Err(fewer(total, self.seen, at()));
                }
                self.seen >= total
            }
            End::Pages(pointer) => {
                let pages = number(answer, pointer);
                let pages = pages.ok_or_else(|| {
                    PageError::Unreadable(format!("it has no number at `{pointer}`"))
                })?;
                u64::from(self.page) >= pages
            }
            End::Declared => true,
        };
        if is_over {
            return Ok(None);
        }
        match &self.position {
            Position::Number(number) => Ok(Some(Position::Number(number + 1))),
            _ if items.is_empty() => Err(Incomplete::NoNextThoughMore { at: at() }.into()),
            _ => Ok(Some(Position::Offset(self.seen))),
        }
    }

    fn end(&self, paging: &Paging, at: &impl Fn() -> Box<At>) -> Result<Successor, PageError> {
        if let Some(total) = self.most {
            let seen = self.seen;
            if seen < total {
                return Err(fewer(total, seen, at()));
            }
            // An item that was added before the others during the walk moves one to the next page, where it comes again.
            let (distinct, least) = (seen - self.repeated, self.least.unwrap_or(total));
            if distinct < least {
                return Err(fewer(least, distinct, at()));
            }
            if seen > total {
                return Err(Incomplete::MoreThanTotal {
                    total,
                    seen,
                    at: at(),
                }
                .into());
            }
        }
        Ok(match paging.end {
            End::Short => Successor::End(Incomplete::EndNotProven { at: at() }),
            _ => Successor::ProvenEnd,
        })
    }
}

const fn fewer(total: u64, seen: u64, at: Box<At>) -> PageError {
    PageError::Incomplete(Incomplete::FewerThanTotal { total, seen, at })
}

/// Returns a number. Some services write numbers as strings or with a fraction of zero.
pub(super) fn number(answer: &Answer, pointer: &str) -> Option<u64> {
    let text = match answer.at(pointer)? {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    text.strip_suffix(".0").unwrap_or(&text).parse().ok()
}

/// Returns a truth value. Some services write it as a number or a string.
fn boolean(answer: &Answer, pointer: &str) -> Result<bool, PageError> {
    let value = answer.at(pointer).map(|value| match value {
        Value::String(text) => text.trim().to_ascii_lowercase(),
        other => other.to_string(),
    });
    match value.as_deref() {
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        _ => Err(PageError::Unreadable(format!(
            "it says neither `true` nor `false` at `{pointer}`"
        ))),
    }
}

fn token(answer: &Answer, pointer: &str) -> Result<Option<Position>, PageError> {
    match answer.at(pointer) {
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        Some(Value::String(token)) if token.is_empty() => Ok(None),
        Some(token @ (Value::String(_) | Value::Number(_))) => {
            Ok(Some(Position::Token(token.clone())))
        }
        Some(_) => Err(PageError::Unreadable(format!("`{pointer}` is not a token"))),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, header::HeaderMap};

    use super::*;

    #[test]
    fn the_next_page_of_an_api_with_tls_is_read_with_tls() {
        let api = Api::at("https://acme.example/v1");
        let url = "https://acme.example/v1/list".parse().unwrap();
        let answer = Answer::new(StatusCode::OK, HeaderMap::new(), url, "[]".into());
        let at = || api.get("list").at(1);
        let next = |link: &str| Progress::link(&api, &answer, link, &at);
        let secure = Position::Url("https://acme.example/v1/list?page=2".to_owned());
        for link in ["?page=2", "http://acme.example/v1/list?page=2"] {
            assert_eq!(next(link).unwrap(), secure, "{link}");
        }
        let other = next("http://evil.example/v1/list?page=2");
        assert!(
            matches!(
                other,
                Err(PageError::Incomplete(Incomplete::ForeignNext { .. }))
            ),
            "{other:?}"
        );
    }
}
