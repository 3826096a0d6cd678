//! Paged lists: every kind with every number of items, and every mistake of a source.

use std::time::Duration;

use omni_connector::http::{
    Answer, Api, Incomplete, Next, Pages, Paging, Position, ResumePoint, SourceError,
};
use serde_json::{Value, json};

use super::source::{Asked, Reply, Source, json as ok, reply};

const SIZE: u64 = 3;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Cursor,
    CursorInBody,
    NextUrl,
    LinkHeader,
    NumberUntilEmpty,
    NumberUntilTotal,
    NumberFromZeroUntilMore,
    NumberUntilPages,
    OffsetUntilEmpty,
    OffsetUntilTotal,
    Relay,
    By,
}

const KINDS: [Kind; 12] = [
    Kind::Cursor,
    Kind::CursorInBody,
    Kind::NextUrl,
    Kind::LinkHeader,
    Kind::NumberUntilEmpty,
    Kind::NumberUntilTotal,
    Kind::NumberFromZeroUntilMore,
    Kind::NumberUntilPages,
    Kind::OffsetUntilEmpty,
    Kind::OffsetUntilTotal,
    Kind::Relay,
    Kind::By,
];

impl Kind {
    fn pages(self, api: &Api) -> Pages<u64> {
        let number = || Paging::page_number("page").size("size", SIZE);
        let offset = || Paging::offset("offset").size("size", SIZE);
        let paging = match self {
            Self::Cursor => Paging::cursor("/next").size("size", SIZE).total("/total"),
            Self::CursorInBody => Paging::cursor("/next")
                .body_field("/page/token")
                .size("/page/size", SIZE),
            Self::NextUrl => Paging::next_url("/link").size("size", SIZE),
            Self::LinkHeader => Paging::link_header().size("size", SIZE),
            Self::NumberUntilEmpty => number().until_empty(),
            Self::NumberUntilTotal => number().until_total("/total"),
            Self::NumberFromZeroUntilMore => number().from(0).until_has_more("/more"),
            Self::NumberUntilPages => number().until_pages("/pages"),
            Self::OffsetUntilEmpty => offset().until_empty(),
            Self::OffsetUntilTotal => offset().until_total("/total"),
            Self::Relay => Paging::relay("/data").size("/variables/first", SIZE),
            Self::By => Paging::by(
                |answer: &Answer, _: &Position| match answer.text_at("/next") {
                    Some(token) => Next::At(Position::Token(token.into())),
                    None => Next::End,
                },
            )
            .size("size", SIZE),
        };
        let call = match self {
            Self::CursorInBody | Self::Relay => {
                api.post("list").json(&json!({ "query": "q" })).repeatable()
            }
            _ => api.get("list?all=1"),
        };
        call.pages(paging).items(if self == Self::Relay {
            "/data/nodes"
        } else {
            "/items"
        })
    }

    /// Returns the answer of a source with this many items.
    fn answer(self, asked: &Asked, count: u64) -> Reply {
        let body = asked.json();
        let token = |value: &Value| {
            value
                .as_str()
                .and_then(|token| token.strip_prefix('t')?.parse().ok())
        };
        let start: u64 = match self {
            Self::Cursor | Self::NextUrl | Self::LinkHeader | Self::By => asked
                .query
                .get("cursor")
                .map_or(0, |token| token[1..].parse().unwrap()),
            Self::CursorInBody => token(&body["page"]["token"]).unwrap_or(0),
            Self::Relay => token(&body["variables"]["after"]).unwrap_or(0),
            Self::NumberFromZeroUntilMore => asked.number("page").unwrap() * SIZE,
            Self::NumberUntilEmpty | Self::NumberUntilTotal | Self::NumberUntilPages => {
                (asked.number("page").unwrap() - 1) * SIZE
            }
            Self::OffsetUntilEmpty | Self::OffsetUntilTotal => asked.number("offset").unwrap(),
        };
        let size = match self {
            Self::CursorInBody => body["page"]["size"].as_u64(),
            Self::Relay => body["variables"]["first"].as_u64(),
            _ => asked.number("size"),
        };
        assert_eq!(size, Some(SIZE), "{self:?} {asked:?}");
        let end = (start + SIZE).min(count);
        let items: Vec<u64> = (start.min(count)..end).collect();
        let has_more = end < count;
        let next = has_more.then(|| format!("t{end}"));
        if self == Self::Relay {
            let page_info = json!({ "hasNextPage": has_more, "endCursor": next });
            return ok(json!({ "data": { "nodes": items, "pageInfo": page_info } }));
        }
        let link = next
            .as_ref()
            .map(|token| format!("/list?all=1&size={SIZE}&cursor={token}"));
        let answer = ok(json!({
            "items": items, "total": count, "more": has_more, "pages": count.div_ceil(SIZE),
            "next": next, "link": link,
        }));
        match link {
            Some(link) => answer.header("link", format!("<{link}>; rel=\"next\"")),
            None => answer,
        }
    }
}

/// Returns all items of a walk, and its result.
async fn walk(mut pages: Pages<u64>) -> (Vec<u64>, Result<(), Incomplete>) {
    let mut all = Vec::new();
    while let Ok(Some(page)) = pages.next().await {
        all.extend(page.items());
    }
    (all, pages.finish().map(drop))
}

#[tokio::test]
async fn every_kind_of_paging_returns_every_item_and_a_proof() {
    for kind in KINDS {
        for count in [
            0,
            1,
            SIZE - 1,
            SIZE,
            SIZE + 1,
            4 * SIZE - 1,
            4 * SIZE,
            4 * SIZE + 1,
        ] {
            let source = Source::start(move |asked| kind.answer(asked, count)).await;
            let (all, end) = walk(kind.pages(&source.api())).await;
            assert_eq!(end, Ok(()), "{kind:?} {count}");
            assert_eq!(all, (0..count).collect::<Vec<_>>(), "{kind:?} {count}");
            let most = count.div_ceil(SIZE).max(1) + 1;
            assert!(
                source.times() as u64 <= most,
                "{kind:?} {count}: {} requests",
                source.times()
            );
        }
    }
}

#[tokio::test]
async fn a_list_in_one_answer_is_proven_unless_the_answer_links_to_more() {
    for link in [None, Some("</list?page=2>; rel=\"next\"")] {
        let source = Source::start(move |_| {
            let answer = ok(json!([1, 2, 3]));
            match link {
                Some(link) => answer.header("link", link),
                None => answer,
            }
        })
        .await;
        let pages = source.api().get("list").pages(Paging::single()).items("");
        let (all, end) = walk(pages).await;
        assert_eq!(source.times(), 1);
        match link {
            None => assert_eq!((all, end), (vec![1, 2, 3], Ok(()))),
            Some(_) => assert!(end.is_err(), "{end:?}"),
        }
    }
}

#[tokio::test]
async fn a_walk_resumes_after_each_page_in_another_process() {
    for kind in KINDS {
        let count = 4 * SIZE + 1;
        let source = Source::start(move |asked| kind.answer(asked, count)).await;
        for stop in 1..=5 {
            let mut pages = kind.pages(&source.api());
            let (mut all, mut point) = (Vec::new(), None);
            for _ in 0..stop {
                let page = pages.next().await.unwrap().unwrap();
                all.extend(page.items());
                point = page.resume_point();
            }
            drop(pages);
            let has_empty_end = matches!(kind, Kind::NumberUntilEmpty | Kind::OffsetUntilEmpty);
            assert_eq!(
                point.is_none(),
                stop == 5 && !has_empty_end,
                "the last page has none: {kind:?}"
            );
            let Some(point) = point else { continue };
            let saved = serde_json::to_string(&point).unwrap();
            let point: ResumePoint = serde_json::from_str(&saved).unwrap();
            let (rest, end) = walk(kind.pages(&source.api()).resume(point)).await;
            all.extend(rest);
            assert_eq!(
                (all, end),
                ((0..count).collect(), Ok(())),
                "{kind:?} at {saved}"
            );
        }
    }
}

#[tokio::test]
async fn a_failed_page_is_read_again_or_ends_the_walk_without_proof() {
    for kind in KINDS {
        let count = 4 * SIZE + 1;
        let passing = Source::start(move |asked| match asked.before {
            4 => reply(500),
            _ => kind.answer(asked, count),
        })
        .await;
        let (all, end) = walk(kind.pages(&passing.api())).await;
        assert_eq!((all.len() as u64, end), (count, Ok(())), "{kind:?}");
        for bad in [
            reply(403),
            reply(404),
            reply(200)
                .header("content-type", "text/html")
                .body("<title>Sign in</title>"),
            reply(200).body("{\"items\": ["),
            reply(200),
            ok(json!({})),
            ok(json!({ "items": null, "total": 13, "data": null })),
            ok(json!([])),
            ok(json!({ "error": "busy" })),
        ] {
            let shown = format!("{bad:?}");
            let source = Source::start(move |asked| match asked.before {
                2 => bad.clone(),
                _ => kind.answer(asked, count),
            })
            .await;
            let mut pages = kind.pages(&source.api());
            pages.next().await.unwrap();
            pages.next().await.unwrap();
            let error = pages.next().await.unwrap_err();
            let text = error.to_string();
            assert!(
                text.contains("(page 3)") && text.contains("/list"),
                "{kind:?} {shown}: {text}"
            );
            assert!(pages.next().await.is_err(), "and it stays an error");
            assert!(
                matches!(pages.finish(), Err(Incomplete::Failed(_))),
                "{kind:?} {shown}"
            );
        }
    }
}

/// Starts a source that answers its requests one by one from a script.
async fn scripted(script: Vec<Reply>) -> Source {
    Source::start(move |asked| {
        let last = script.last().unwrap();
        script.get(asked.before).unwrap_or(last).clone()
    })
    .await
}

fn page(items: impl IntoIterator<Item = u64>, next: Value) -> Reply {
    ok(json!({ "items": items.into_iter().collect::<Vec<_>>(), "next": next }))
}

async fn end_of(script: Vec<Reply>, paging: Paging) -> (Vec<u64>, Result<(), Incomplete>) {
    let source = scripted(script).await;
    walk(source.api().get("list").pages(paging).items("/items")).await
}

#[tokio::test]
async fn an_empty_page_with_a_token_continues_the_walk() {
    let script = vec![
        page([1], json!("a")),
        page([], json!("b")),
        page([2], json!("")),
    ];
    assert_eq!(
        end_of(script, Paging::cursor("/next")).await,
        (vec![1, 2], Ok(()))
    );
}

#[tokio::test]
async fn a_token_may_be_a_number_or_look_empty() {
    let script = vec![
        page([1], json!("0")),
        page([2], json!(0)),
        page([3], json!(17)),
        page([4], Value::Null),
    ];
    let (all, end) = end_of(script, Paging::cursor("/next")).await;
    assert_eq!((all, end), (vec![1, 2, 3, 4], Ok(())));
    let odd = vec![page([1], json!({ "a": 1 }))];
    let (_, end) = end_of(odd, Paging::cursor("/next")).await;
    assert!(matches!(end, Err(Incomplete::Failed(_))), "{end:?}");
}

#[tokio::test]
async fn numbers_and_truth_values_are_read_however_the_service_writes_them() {
    let by_total = || Paging::page_number("p").until_total("/total");
    let by_pages = || Paging::page_number("p").until_pages("/total");
    for total in [json!("2"), json!(2.0), json!(" 2 ")] {
        let answer = |item: u64| ok(json!({ "items": [item], "total": total }));
        for paging in [by_total(), by_pages()] {
            let end = end_of(vec![answer(1), answer(2)], paging).await;
            assert_eq!(end, (vec![1, 2], Ok(())), "{total}");
        }
    }
    for total in [json!("two"), json!(2.5), json!(-2), json!(true)] {
        let answer = ok(json!({ "items": [1], "total": total }));
        let (_, end) = end_of(vec![answer], by_total()).await;
        let end = end.unwrap_err().to_string();
        assert!(end.contains("no number at `/total`"), "{total}: {end}");
    }
    for (yes, no) in [
        (json!("true"), json!("False")),
        (json!(1), json!(0)),
        (json!("1"), json!("0")),
    ] {
        let answer = |item: u64, more: &Value| ok(json!({ "items": [item], "more": more }));
        let paging = Paging::page_number("p").until_has_more("/more");
        let end = end_of(vec![answer(1, &yes), answer(2, &no)], paging).await;
        assert_eq!(end, (vec![1, 2], Ok(())), "{yes}");
    }
    for paging in [Paging::cursor("/next"), Paging::next_url("/next")] {
        assert_eq!(
            end_of(vec![page([1], json!(false))], paging).await,
            (vec![1], Ok(()))
        );
    }
}

#[tokio::test]
async fn a_null_in_place_of_a_list_is_empty_only_if_the_total_says_so() {
    let null = |total: Value| vec![ok(json!({ "items": null, "total": total }))];
    let paging = || Paging::cursor("/next").total("/total");
    assert_eq!(end_of(null(json!(0)), paging()).await, (vec![], Ok(())));
    for (script, paging) in [
        (null(json!(1)), paging()),
        (null(Value::Null), paging()),
        (null(json!(0)), Paging::cursor("/next")),
    ] {
        let (_, end) = end_of(script, paging).await;
        let end = end.unwrap_err().to_string();
        assert!(end.contains("no list at `/items`"), "{end}");
    }
}

#[tokio::test]
async fn a_repeated_token_is_a_cycle_even_after_many_pages() {
    for back in [1, 7] {
        let mut script: Vec<_> = (0..10_u64)
            .map(|n| page([n], json!(format!("t{n}"))))
            .collect();
        script.push(page([10], json!(format!("t{}", 10 - back))));
        let (all, end) = end_of(script, Paging::cursor("/next")).await;
        let Err(Incomplete::TokenSeenBefore { token, first, at }) = end else {
            panic!("{end:?}");
        };
        assert_eq!((first, at.page), (11 - back, Some(11)));
        assert!(token.contains(&format!("t{}", 10 - back)), "{token}");
        assert_eq!(all.len(), 10);
    }
}

#[tokio::test]
async fn a_repeated_page_gives_no_proof() {
    // Like a service that does not know the parameter, or that repeats the last page for every later one.
    let script = vec![page([1, 2], Value::Null), page([1, 2], Value::Null)];
    let (_, end) = end_of(script, Paging::page_number("p").until_empty()).await;
    assert!(
        matches!(end, Err(Incomplete::PageSeenBefore { first: 1, .. })),
        "{end:?}"
    );
}

#[tokio::test]
async fn endless_empty_pages_end_the_walk() {
    let source = Source::start(|asked| page([], json!(asked.before))).await;
    let (_, end) = walk(
        source
            .api()
            .get("list")
            .pages(Paging::cursor("/next"))
            .items("/items"),
    )
    .await;
    assert!(matches!(end, Err(Incomplete::NoProgress { .. })), "{end:?}");
}

fn counted(items: impl IntoIterator<Item = u64>, next: Value, total: u64, more: bool) -> Reply {
    ok(
        json!({ "items": items.into_iter().collect::<Vec<_>>(), "next": next, "total": total, "more": more }),
    )
}

#[tokio::test]
async fn a_wrong_total_gives_no_proof() {
    let cursor = || Paging::cursor("/next").total("/total");
    let number = || Paging::page_number("p").until_total("/total");
    for (paging, script, expected) in [
        (
            cursor(),
            vec![counted([1, 2], Value::Null, 3, false)],
            "only 2 of 3",
        ),
        (
            cursor(),
            vec![counted([1, 2], Value::Null, 1, false)],
            "2 items were read where there are only 1",
        ),
        (
            number(),
            vec![
                counted([1, 2], Value::Null, 3, true),
                counted([], Value::Null, 3, false),
            ],
            "only 2 of 3",
        ),
        (
            number(),
            vec![counted([1, 2], Value::Null, 1, true)],
            "2 items were read where there are only 1",
        ),
        // An item of the first page was deleted, so another one moved there unseen.
        (
            number(),
            vec![
                counted([1, 2], Value::Null, 4, true),
                counted([4], Value::Null, 3, true),
            ],
            "4 items became 3",
        ),
        (
            cursor(),
            vec![page([1], Value::Null)],
            "no number at `/total`",
        ),
    ] {
        let (_, end) = end_of(script, paging).await;
        let end = end.unwrap_err().to_string();
        assert!(end.contains(expected), "{expected}: {end}");
    }
    // An item that was added and returned meanwhile is no contradiction.
    let script = vec![
        counted([1, 2], json!("a"), 2, true),
        counted([3], Value::Null, 3, false),
    ];
    assert_eq!(end_of(script, cursor()).await, (vec![1, 2, 3], Ok(())));
    // It is unknown whether an item that is no longer counted was deleted or omitted.
    let script = vec![
        counted([1, 2], json!("a"), 4, true),
        counted([3], Value::Null, 3, false),
    ];
    let (_, end) = end_of(script, cursor()).await;
    assert!(
        matches!(
            end,
            Err(Incomplete::FewerThanTotal {
                total: 4,
                seen: 3,
                ..
            })
        ),
        "{end:?}"
    );
}

#[tokio::test]
async fn an_item_added_during_a_walk_by_page_number_hides_no_other() {
    let script = vec![
        counted([1, 2], Value::Null, 4, true),
        counted([2, 3], Value::Null, 5, true),
        counted([4], Value::Null, 5, false),
    ];
    let (all, end) = end_of(script, Paging::page_number("p").until_total("/total")).await;
    assert_eq!((all, end), (vec![1, 2, 2, 3, 4], Ok(())));
}

#[tokio::test]
async fn has_more_without_a_token_gives_no_proof_and_a_token_without_more_ends() {
    let paging = || Paging::cursor("/next").has_more("/more");
    let (_, end) = end_of(vec![counted([1], Value::Null, 0, true)], paging()).await;
    assert!(
        matches!(end, Err(Incomplete::NoNextThoughMore { .. })),
        "{end:?}"
    );
    assert_eq!(
        end_of(vec![counted([1], json!("x"), 0, false)], paging()).await,
        (vec![1], Ok(()))
    );
    let (_, end) = end_of(vec![page([1], json!("x"))], paging()).await;
    assert!(
        end.unwrap_err()
            .to_string()
            .contains("neither `true` nor `false` at `/more`")
    );
    let offset = Paging::offset("o").until_has_more("/more");
    let (_, end) = end_of(
        vec![
            counted([1], Value::Null, 0, true),
            counted([], Value::Null, 0, true),
        ],
        offset,
    )
    .await;
    assert!(
        matches!(end, Err(Incomplete::NoNextThoughMore { .. })),
        "{end:?}"
    );
}

#[tokio::test]
async fn a_source_with_a_maximum_of_results_gives_no_proof_at_it() {
    let paging = || Paging::cursor("/next").capped_at(4);
    let script = vec![page([1, 2], json!("a")), page([3, 4], json!("b"))];
    let (all, end) = end_of(script, paging()).await;
    assert_eq!(
        all,
        [1, 2, 3, 4],
        "and everything that is shown is given out"
    );
    assert!(
        matches!(end, Err(Incomplete::Capped { limit: 4, .. })),
        "{end:?}"
    );
    assert_eq!(
        end_of(vec![page([1, 2, 3], Value::Null)], paging()).await.1,
        Ok(())
    );
}

#[tokio::test]
async fn a_short_page_and_an_abandoned_walk_give_no_proof() {
    let paging = Paging::page_number("p").size("size", 2).until_short();
    let (all, end) = end_of(
        vec![page([1, 2], Value::Null), page([3], Value::Null)],
        paging,
    )
    .await;
    assert_eq!(all, [1, 2, 3]);
    assert!(
        matches!(end, Err(Incomplete::EndNotProven { .. })),
        "{end:?}"
    );
    let source = scripted(vec![page([1], json!("a"))]).await;
    let mut pages = source
        .api()
        .get("list")
        .pages(Paging::cursor("/next"))
        .items::<u64>("/items");
    pages.next().await.unwrap();
    assert!(matches!(
        pages.finish(),
        Err(Incomplete::EndNotProven { .. })
    ));
}

#[tokio::test]
async fn graphql_errors_next_to_data_are_a_refusal() {
    let body = json!({
        "data": { "nodes": [1], "pageInfo": { "hasNextPage": false, "endCursor": null } },
        "errors": [{ "message": "timeout in a resolver" }],
    });
    let source = scripted(vec![ok(body)]).await;
    let mut pages = source
        .api()
        .post("graphql")
        .pages(Paging::relay("/data"))
        .items::<u64>("/data/nodes");
    let error = pages.next().await.unwrap_err();
    assert!(
        matches!(&error, SourceError::Refused { message, .. } if message == "timeout in a resolver"),
        "{error:?}"
    );
    assert!(pages.finish().is_err());
}

#[tokio::test]
async fn an_undecodable_item_is_an_error_outside_of_a_run() {
    let odd = ok(json!({ "items": [1, "two", 3], "next": null }));
    let source = scripted(vec![odd]).await;
    let mut pages = source
        .api()
        .get("list")
        .pages(Paging::cursor("/next"))
        .items::<u64>("/items");
    let error = pages.next().await.unwrap_err().to_string();
    assert!(error.contains("`/items/1`"), "{error}");
}

#[tokio::test]
async fn a_resume_point_has_no_secret_and_one_of_another_kind_is_ignored() {
    let source = Source::start(|asked| match asked.query.get("page") {
        None => page([1], json!("/list?page=2&api_key=canary-7f3")),
        Some(_) => page([2], Value::Null),
    })
    .await;
    let key = "canary-7f3".to_owned().into();
    let api = source
        .api()
        .auth(omni_connector::http::Auth::query("api_key", &key));
    let pages = || {
        api.get("list")
            .pages(Paging::next_url("/next"))
            .items::<u64>("/items")
    };
    let mut first = pages();
    let point = first.next().await.unwrap().unwrap().resume_point().unwrap();
    let saved = serde_json::to_value(&point).unwrap();
    assert!(!saved.to_string().contains("canary"), "{saved}");
    assert_eq!(walk(pages().resume(point)).await, (vec![2], Ok(())));
    let stranger: ResumePoint =
        serde_json::from_value(json!({ "token": "x", "page": 3, "seen": 9 })).unwrap();
    assert_eq!(walk(pages().resume(stranger)).await, (vec![1, 2], Ok(())));
    let foreign = json!({ "url": "http://evil.example/", "page": 1, "seen": 1 });
    let foreign: ResumePoint = serde_json::from_value(foreign).unwrap();
    assert!(matches!(
        pages().resume(foreign).next().await,
        Err(SourceError::Foreign { .. })
    ));
}

#[tokio::test]
async fn one_page_is_read_ahead() {
    let source =
        Source::start(|asked| page([asked.before as u64], json!(format!("t{}", asked.before))))
            .await;
    let mut pages = source
        .api()
        .get("list")
        .pages(Paging::cursor("/next"))
        .items::<u64>("/items");
    pages.next().await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(source.times(), 2);
}

#[tokio::test]
async fn a_walk_begins_again_after_an_error_that_ends_its_cursors_and_not_for_ever() {
    // The cursor of the first walk is lost at its second page, and with it the walk; the second walk gets through.
    let source = Source::start(|asked| match (asked.query.get("cursor"), asked.before) {
        (None, _) => ok(json!({ "items": [1, 2], "next": "two" })),
        (Some(_), 1) => reply(410),
        (Some(_), _) => ok(json!({ "items": [3], "next": null })),
    })
    .await;
    let pages = |source: &Source| {
        let pages = source.api().get("scroll").pages(Paging::cursor("/next"));
        let pages = pages.items::<u64>("/items");
        pages.restart_on(|error| matches!(error, SourceError::Gone { .. }))
    };
    assert_eq!(pages(&source).all().await, Ok(vec![1, 2, 3]));
    assert_eq!(source.times(), 4);
    let source = Source::start(|asked| match asked.query.get("cursor") {
        None => ok(json!({ "items": [1], "next": "two" })),
        Some(_) => reply(410),
    })
    .await;
    let mut walk = pages(&source);
    let mut given = 0;
    let ended = loop {
        match walk.next().await {
            Ok(Some(page)) => given += page.into_items().len(),
            Ok(None) => panic!("a walk that never got through ended well"),
            Err(error) => break error,
        }
    };
    assert!(matches!(ended, SourceError::Gone { .. }), "{ended:?}");
    assert_eq!(given, 4, "the first walk, and three more");
    assert!(walk.finish().is_err());
}
