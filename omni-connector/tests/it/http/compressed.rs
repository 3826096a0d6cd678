//! Compressed answers in every spelling that servers use.

use std::{io::Write, time::Duration};

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use futures_util::TryStreamExt;
use omni_connector::http::SourceError;
use serde_json::{Value, json};

use super::source::{Source, reply};

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A list long enough for several chunks and steps.
fn list() -> Value {
    (0..30_000).map(|n| n * 7_919 % 10_007).collect()
}

#[tokio::test]
async fn a_compressed_answer_is_asked_for_and_read() {
    let plain = list().to_string().into_bytes();
    let (first, second) = plain.split_at(plain.len() / 3);
    let members = [gzip(first), gzip(b""), gzip(second)].concat();
    let named = {
        let builder = flate2::GzBuilder::new()
            .filename("list.json")
            .comment("c")
            .extra(vec![7; 300]);
        let mut encoder = builder.write(Vec::new(), Compression::best());
        encoder.write_all(&plain).unwrap();
        encoder.finish().unwrap()
    };
    for (coding, body) in [
        ("gzip", gzip(&plain)),
        ("GZIP", gzip(&plain)),
        ("Gzip ", gzip(&plain)),
        ("x-gzip", gzip(&plain)),
        ("gzip", members.clone()),
        ("gzip", named),
        ("gzip", [&gzip(&plain)[..], &[0; 512]].concat()),
        ("gzip", [&members[..], b"trailing"].concat()),
        ("deflate", zlib(&plain)),
        ("deflate", deflate(&plain)),
        ("Deflate", [&deflate(&plain)[..], b"\r\n"].concat()),
        ("gzip, gzip", gzip(&gzip(&plain))),
        ("deflate, gzip", gzip(&zlib(&plain))),
        ("gzip,deflate", deflate(&gzip(&plain))),
        ("gzip, identity", gzip(&plain)),
        ("identity", plain.clone()),
        ("IDENTITY", plain.clone()),
        ("none", plain.clone()),
        ("UTF-8", plain.clone()),
        ("", plain.clone()),
        ("aws-chunked", plain.clone()),
        // The server names a coding, and a proxy has undone it.
        ("gzip", plain.clone()),
    ] {
        let length = body.len();
        let source = Source::start(move |asked| {
            assert!(asked.header("accept-encoding").unwrap().contains("gzip"));
            reply(200)
                .header("content-encoding", coding)
                .body(body.clone())
        })
        .await;
        let read = source.api().get("list").read::<Value>().await;
        assert_eq!(read.ok(), Some(list()), "{coding}, {length} bytes");
        let download = source.api().get("list").download(1 << 20).await.unwrap();
        let chunks: Vec<_> = download.try_collect().await.unwrap();
        assert_eq!(chunks.concat(), plain, "{coding}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_may_name_a_coding() {
    for (status, coding) in [
        (200, "gzip"),
        (204, "gzip"),
        (200, "deflate"),
        (200, "gzip, gzip"),
    ] {
        let source = Source::start(move |_| {
            reply(status)
                .header("content-encoding", coding)
                .body(Vec::new())
        })
        .await;
        let read = source.api().get("nothing").read::<Option<Value>>().await;
        assert_eq!(read.ok(), Some(None), "{status} {coding}");
    }
}

#[tokio::test]
async fn a_compressed_answer_that_breaks_off_or_is_damaged_is_an_error() {
    let plain = list().to_string().into_bytes();
    let cut = |mut data: Vec<u8>, left_out: usize| {
        data.truncate(data.len() - left_out);
        data
    };
    let wrong_sum = |mut data: Vec<u8>| {
        let at = data.len() - 8;
        data[at] ^= 1;
        data
    };
    for (coding, body, expected, is_repeated) in [
        ("gzip", cut(gzip(&plain), 900), "breaks off", true),
        ("gzip", cut(gzip(&plain), 4), "breaks off", true),
        ("gzip", gzip(&plain)[..5].to_vec(), "breaks off", true),
        ("deflate", cut(zlib(&plain), 900), "breaks off", true),
        ("deflate", cut(deflate(&plain), 900), "breaks off", true),
        (
            "gzip",
            wrong_sum(gzip(&plain)),
            "cannot be decompressed",
            false,
        ),
        (
            "deflate",
            b"\xff\xff\xff\xff".to_vec(),
            "cannot be decompressed",
            false,
        ),
        ("br", gzip(&plain), "encoded as `br`", false),
        ("gzip, zstd", gzip(&plain), "encoded as `gzip, zstd`", false),
        (
            "gzip, gzip, gzip, gzip",
            gzip(&plain),
            "which was not asked for",
            false,
        ),
    ] {
        let source = Source::start(move |_| {
            reply(200)
                .header("content-encoding", coding)
                .body(body.clone())
        })
        .await;
        let api = source.api().patience(Duration::from_secs(4));
        let error = api.get("list").read::<Value>().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{coding}: {error}");
        assert_eq!(source.times() > 1, is_repeated, "{coding}: {error}");
    }
}

/// A small answer must not become a large one in memory.
#[tokio::test]
async fn the_limit_of_an_answer_is_that_of_its_plain_body() {
    let zeros = vec![b' '; 40 << 20];
    for (coding, body) in [
        ("gzip", gzip(&zeros)),
        ("deflate", deflate(&zeros)),
        ("gzip, gzip", gzip(&gzip(&zeros))),
    ] {
        let source = Source::start(move |_| {
            reply(200)
                .header("content-encoding", coding)
                .body(body.clone())
        })
        .await;
        let download = source.api().get("file").download(1 << 20).await.unwrap();
        let error = download.try_collect::<Vec<_>>().await.unwrap_err();
        assert!(
            matches!(error, SourceError::TooLarge { .. }),
            "{coding}: {error}"
        );
        let error = source.api().get("file").save(1 << 20).await.unwrap_err();
        assert!(
            matches!(error, SourceError::TooLarge { .. }),
            "{coding}: {error}"
        );
    }
}

/// A server may compress the answer to a request that leaves its coding open (RFC 9110, 12.5.3).
#[tokio::test]
async fn whatever_reads_no_compressed_answer_asks_for_a_plain_one() {
    let source = Source::start(|asked| {
        let accepted = asked.header("accept-encoding").map(str::to_owned);
        reply(200).json(json!(accepted))
    })
    .await;
    let url = source.url.clone();
    let client = omni_connector::HttpClient::new();
    let asked: Value = client.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(asked, "identity", "a client of the author");
    let client = omni_connector::HttpClient::builder()
        .default_headers(
            [("x-own".parse().unwrap(), "1".parse().unwrap())]
                .into_iter()
                .collect(),
        )
        .build()
        .unwrap();
    let asked: Value = client.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(asked, "identity", "one with headers of its own");
    let part = source.api().get("file").header("range", "bytes=0-9");
    let asked: Value = part.read().await.unwrap();
    assert_eq!(asked, "identity", "a part of a file");
}
