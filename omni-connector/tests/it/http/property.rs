//! For every script of answers, a walk ends. It is proven only if it returned every item of the source.

use std::collections::BTreeSet;

use omni_connector::http::Paging;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::source::{Asked, Reply, Source, json as ok, reply};

/// The source's answer for one of its pages.
#[derive(Debug, Clone)]
enum Page {
    /// The items of this page.
    Right,
    /// Fewer items; the rest is lost.
    Cut(usize),
    /// No items, although the page has some.
    Empty,
    /// The items of the first page.
    First,
    /// Another status.
    Status(u16),
    /// A sign-in page.
    Html,
    /// A truncated body.
    Broken,
    /// An answer of another shape.
    Shape(u8),
    /// The token of an earlier page.
    Back(usize),
    /// No token, although there are more pages.
    NoToken,
    /// A total that differs by this number.
    Total(i64),
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Cursor,
    Number,
    Offset,
    More,
}

impl Kind {
    fn paging(self) -> Paging {
        match self {
            Self::Cursor => Paging::cursor("/next").total("/total").has_more("/more"),
            Self::Number => Paging::page_number("number")
                .size("size", 3)
                .until_total("/total"),
            Self::Offset => Paging::offset("offset")
                .size("size", 3)
                .until_total("/total"),
            Self::More => Paging::page_number("number")
                .until_has_more("/more")
                .total("/total"),
        }
    }

    /// Returns the number of the requested page, from 0.
    fn asked(self, asked: &Asked) -> usize {
        let number = |name| usize::try_from(asked.number(name).unwrap_or_default()).unwrap();
        match self {
            Self::Cursor => number("cursor"),
            Self::Number | Self::More => number("number") - 1,
            Self::Offset => number("offset") / 3,
        }
    }
}

fn answer(kind: Kind, count: usize, script: &[Page], asked: &Asked) -> Reply {
    let items: Vec<usize> = (0..count).collect();
    let pages: Vec<&[usize]> = items.chunks(3).collect();
    let number = kind.asked(asked);
    let right = pages.get(number).copied().unwrap_or_default();
    let has_more = number + 1 < pages.len();
    let next = has_more.then(|| (number + 1).to_string());
    let full = |items: &[usize], next: Option<String>, has_more: bool, total: i64| {
        ok(json!({ "items": items, "next": next, "more": has_more, "total": total.max(0) }))
    };
    let total = i64::try_from(count).unwrap();
    match script.get(number).unwrap_or(&Page::Right) {
        Page::Right => full(right, next, has_more, total),
        Page::Cut(kept) => full(&right[..right.len().min(*kept)], next, has_more, total),
        Page::Empty => full(&[], next, has_more, total),
        Page::First => full(
            pages.first().copied().unwrap_or_default(),
            next,
            has_more,
            total,
        ),
        Page::Status(status) => reply(*status),
        Page::Html => reply(200)
            .header("content-type", "text/html")
            .body("<title>Sign in</title>"),
        Page::Broken => reply(200).body("{\"items\": []").cut(),
        Page::Shape(0) => {
            ok(json!({ "items": null, "next": next, "more": has_more, "total": total }))
        }
        Page::Shape(1) => ok(json!({ "error": "no" })),
        Page::Shape(2) => ok(Value::Null),
        Page::Shape(_) => ok(json!([])),
        Page::Back(pages) => full(
            right,
            Some(number.saturating_sub(*pages).to_string()),
            true,
            total,
        ),
        Page::NoToken => full(right, None, has_more, total),
        Page::Total(off) => full(right, next, has_more, total + off),
    }
}

fn page() -> impl Strategy<Value = Page> {
    prop_oneof![
        8 => Just(Page::Right),
        1 => (0_usize..3).prop_map(Page::Cut),
        1 => Just(Page::Empty),
        1 => Just(Page::First),
        1 => prop_oneof![Just(400), Just(404), Just(410), Just(204), Just(304)].prop_map(Page::Status),
        1 => Just(Page::Html),
        1 => Just(Page::Broken),
        1 => (0_u8..4).prop_map(Page::Shape),
        1 => (0_usize..3).prop_map(Page::Back),
        1 => Just(Page::NoToken),
        1 => prop_oneof![Just(-7), Just(-1), Just(1), Just(7)].prop_map(Page::Total),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Cursor),
        Just(Kind::Number),
        Just(Kind::Offset),
        Just(Kind::More)
    ]
}

#[tokio::test]
async fn an_item_that_comes_again_does_not_stand_for_a_missing_one() {
    for kind in [Kind::More, Kind::Number] {
        let script = vec![Page::Cut(1), Page::First];
        let source = Source::start(move |asked| answer(kind, 4, &script, asked)).await;
        let pages = source.api().get("list").pages(kind.paging());
        let mut pages = pages.items::<usize>("/items");
        while let Ok(Some(_)) = pages.next().await {}
        let end = pages.finish().unwrap_err().to_string();
        assert!(end.contains('3') && end.contains('4'), "{kind:?}: {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_ends_and_is_proven_only_if_it_returned_every_item(
        kind in kind(),
        count in 0_usize..16,
        script in prop::collection::vec(page(), 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (given, proven) = runtime.block_on(async {
            let answers = script.clone();
            let source = Source::start(move |asked| answer(kind, count, &answers, asked)).await;
            let api = source.api().patience(std::time::Duration::ZERO);
            let mut pages = api.get("list").pages(kind.paging()).items::<usize>("/items");
            let mut given = BTreeSet::new();
            // The end of the loop is the end of the walk.
            while let Ok(Some(page)) = pages.next().await {
                given.extend(page.into_items());
                assert!(source.times() < 200, "{script:?}");
            }
            (given, pages.finish().is_ok())
        });
        // If the total determines the end, a total that is too small cannot be detected.
        let is_cut_short = matches!(kind, Kind::Number | Kind::Offset)
            && script.iter().any(|page| matches!(page, Page::Total(off) if *off < 0));
        if proven && !is_cut_short {
            prop_assert_eq!(given, (0..count).collect::<BTreeSet<_>>());
        }
        let is_right = script.iter().take(count.div_ceil(3).max(1)).all(|page| matches!(page, Page::Right));
        prop_assert!(proven || !is_right, "an undisturbed walk is proven");
    }
}
