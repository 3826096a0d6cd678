//! The server side of a paged list, for the fakes in authors' tests. It lives next to the client so that both page in
//! the same way.

use std::ops::Range;

use serde_json::{Value, json};

use super::{
    end::End,
    kinds::{Kind, Paging, Put},
};

/// Items per page if neither the client nor the description gives a number.
const ITEMS: usize = 2;

/// One page of a list.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq)]
pub struct ServedPage {
    /// The items, as a range of the whole list.
    pub items: Range<usize>,
    /// Other values of the answer, by JSON pointer.
    pub fields: Vec<(String, Value)>,
    /// The value of the `Link` header.
    pub link: Option<String>,
}

impl Paging {
    /// The page of a list of `count` items that a request asks for. `asked` gives the value of a parameter of the query, or of
    /// a JSON pointer into the body; `link` is the request's URL with another value of a parameter. A page has at most `most` items,
    /// and `shorten` says how many items fewer a page at an offset has; `usize::MAX` empties it.
    #[doc(hidden)]
    pub fn serve(
        &self,
        count: usize,
        most: Option<usize>,
        asked: &dyn Fn(&str) -> Option<String>,
        link: &dyn Fn(&str, &str) -> String,
        shorten: &dyn Fn(usize) -> usize,
    ) -> Result<ServedPage, String> {
        let declared = self.size.as_ref();
        let size = match declared.and_then(|(put, _)| asked(put.name())) {
            Some(size) => size
                .parse()
                .map_err(|_| format!("`{size}` is not a size of a page"))?,
            None => self.page_size(),
        };
        let size = match self.kind {
            Kind::Single => count,
            _ => most.map_or(size, |most| size.min(most)),
        };
        let position = asked(self.put.name());
        let number = |text: &str| {
            text.parse::<usize>()
                .map_err(|_| format!("`{text}` is not a position"))
        };
        let start = match (&self.kind, position) {
            (Kind::Number(first), position) => {
                let first = usize::try_from(*first).unwrap_or(1);
                let page = position.map_or(Ok(first), |text| number(&text))?;
                page.saturating_sub(first).saturating_mul(size)
            }
            (_, None) => 0,
            (Kind::Cursor(_) | Kind::Relay(_), Some(token)) => match token.strip_prefix("after-") {
                Some(offset) => number(offset)?,
                None => return Err(format!("`{token}` is not a token of this service")),
            },
            (Kind::LinkHeader | Kind::NextUrl(_) | Kind::Offset, Some(offset)) => number(&offset)?,
            (Kind::Single, Some(_)) => return Err("the whole list is one answer".to_owned()),
            (Kind::By(_), _) => {
                return Err("a list that is paged `by` a function cannot be faked".to_owned());
            }
        };
        let start = start.min(count);
        let length = match shorten(start) {
            usize::MAX => 0,
            fewer => size.saturating_sub(fewer).max(1),
        };
        let end = (start + length).min(count);
        let (is_last, next) = (end >= count, format!("after-{end}"));
        let mut page = ServedPage {
            items: start..end,
            fields: Vec::new(),
            link: None,
        };
        let mut put = |pointer: &str, value: Value| page.fields.push((pointer.to_owned(), value));
        match &self.kind {
            Kind::Cursor(pointer) if !is_last => put(pointer, next.into()),
            Kind::NextUrl(pointer) if !is_last => {
                put(pointer, link(self.put.name(), &end.to_string()).into());
            }
            Kind::Relay(pointer) => put(
                &format!("{pointer}/pageInfo"),
                json!({ "hasNextPage": !is_last, "endCursor": next }),
            ),
            _ => {}
        }
        if let Some(pointer) = &self.total {
            put(pointer, count.into());
        }
        if let Some(pointer) = &self.has_more {
            put(pointer, (!is_last).into());
        }
        match &self.end {
            End::HasMore(pointer) => put(pointer, (!is_last).into()),
            End::Pages(pointer) => put(pointer, count.div_ceil(size.max(1)).into()),
            End::Declared | End::Empty | End::Total | End::Short => {}
        }
        if matches!(self.kind, Kind::LinkHeader) && !is_last {
            let link = link(self.put.name(), &end.to_string());
            page.link = Some(format!("<{link}>; rel=\"next\""));
        }
        Ok(page)
    }

    /// Returns the query parameters and JSON pointers into the body that a request for a page may have.
    #[doc(hidden)]
    pub fn parameters(&self) -> Vec<&str> {
        let size = self.size.iter().map(|(put, _)| put.name());
        let position = (!matches!(self.kind, Kind::Single)).then(|| self.put.name());
        size.chain(position).collect()
    }

    /// Returns how many items a page has if the server has no smaller limit.
    #[doc(hidden)]
    pub fn page_size(&self) -> usize {
        let declared = self.size.as_ref();
        declared.map_or(ITEMS, |(_, size)| usize::try_from(*size).unwrap_or(ITEMS))
    }

    /// Returns whether pages are found by tokens or links, so that their lengths may differ.
    #[doc(hidden)]
    pub const fn is_by_token(&self) -> bool {
        !self.counts() && !matches!(self.kind, Kind::Single)
    }

    /// Returns whether a walk skips an item when one before its position is removed. Links count as well, like `?page=2`.
    #[doc(hidden)]
    pub const fn skips_after_a_removal(&self) -> bool {
        self.counts() || matches!(self.kind, Kind::LinkHeader)
    }

    /// Returns whether the answers have a total.
    #[doc(hidden)]
    pub const fn has_total(&self) -> bool {
        self.total.is_some()
    }

    /// Returns the place of the next page's token or link.
    #[doc(hidden)]
    pub fn next_at(&self) -> Option<String> {
        match &self.kind {
            Kind::Cursor(pointer) | Kind::NextUrl(pointer) => Some(pointer.clone()),
            Kind::Relay(pointer) => Some(format!("{pointer}/pageInfo/endCursor")),
            _ => None,
        }
    }
}

impl Put {
    fn name(&self) -> &str {
        match self {
            Self::Parameter(name) | Self::Body(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(paging: &Paging, position: Option<(&str, &str)>) -> ServedPage {
        let asked = |name: &str| {
            let (key, value) = position?;
            (key == name).then(|| value.to_owned())
        };
        let link = |name: &str, value: &str| format!("http://h/list?{name}={value}");
        paging.serve(5, None, &asked, &link, &|_| 0).unwrap()
    }

    #[test]
    fn each_kind_of_paging_is_served_as_it_is_asked_for() {
        let cursor = Paging::cursor("/next").total("/total");
        let first = page(&cursor, None);
        assert_eq!(first.items, 0..2);
        assert_eq!(
            first.fields,
            [
                ("/next".to_owned(), "after-2".into()),
                ("/total".to_owned(), 5.into())
            ]
        );
        let last = page(&cursor, Some(("cursor", "after-4")));
        assert_eq!((last.items, last.fields.len()), (4..5, 1));

        let numbers = Paging::page_number("page").until_has_more("/more");
        assert_eq!(page(&numbers, Some(("page", "3"))).items, 4..5);
        assert_eq!(
            page(&numbers, Some(("page", "2"))).fields,
            [("/more".to_owned(), true.into())]
        );
        let offsets = Paging::offset("from").until_empty();
        assert_eq!(page(&offsets, Some(("from", "5"))).items, 5..5);
        let whole = page(&Paging::single(), None);
        assert_eq!((whole.items, whole.link), (0..5, None));
        assert_eq!(Paging::single().parameters(), [""; 0]);
        let links = page(&Paging::link_header(), None);
        assert_eq!(links.link.unwrap(), "<http://h/list?page=2>; rel=\"next\"");
        let relay = page(
            &Paging::relay("/data/list"),
            Some(("/variables/after", "after-2")),
        );
        assert_eq!(relay.fields[0].1["endCursor"], "after-4");
    }
}
