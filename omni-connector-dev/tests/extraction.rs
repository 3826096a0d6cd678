//! Files that mean harm, or are only unlucky, fail alone: the manager answers within seconds and lives on.

use std::{
    io::{Cursor, Write},
    time::Duration,
};

use omni_connector::HttpClient;
use omni_connector_dev::{Manager, Options};
use reqwest::multipart::{Form, Part};
use serde_json::Value;
use zip::{ZipWriter, write::SimpleFileOptions};

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

struct World {
    manager: Manager,
    http: HttpClient,
}

impl World {
    async fn start() -> Self {
        let mut options = Options::default();
        options.runs.tick = None;
        Self {
            manager: Manager::start(options).await.unwrap(),
            http: HttpClient::new(),
        }
    }

    async fn text(&self, mime_type: &str, data: Vec<u8>) -> Result<String, (u16, String)> {
        let form = Form::new()
            .text("sync_run_id", "run")
            .text("mime_type", mime_type.to_owned())
            .part("data", Part::bytes(data).file_name("file"));
        let url = format!("{}/sdk/extract-text", self.manager.url());
        let request = self.http.post(url).multipart(form);
        let answer = request
            .timeout(Duration::from_mins(2))
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        match body["text"].as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err((status, body["error"].as_str().unwrap().to_owned())),
        }
    }
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in parts {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(data).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn document(body: &str) -> Vec<u8> {
    let xml = format!("<w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>");
    archive(&[("word/document.xml", xml.as_bytes())])
}

#[tokio::test]
async fn a_document_keeps_its_words_where_readers_expect_them() {
    let world = World::start().await;
    let run = |text: &str| format!("<w:r><w:t>{text}</w:t></w:r>");
    let paragraph = |text: &str| format!("<w:p>{}</w:p>", run(text));
    let cell = |text: &str| format!("<w:tc>{}</w:tc>", paragraph(text));
    let body = [
        paragraph("R&amp;D &#8364; plan"),
        format!("<w:p>{}<w:r><w:tab/></w:r>{}</w:p>", run("a"), run("b")),
        format!(
            "<w:tbl><w:tr>{}{}</w:tr></w:tbl>",
            cell("Name"),
            cell("Amount")
        ),
        format!(
            "<w:p><mc:Choice>{}</mc:Choice><mc:Fallback>{}</mc:Fallback></w:p>",
            run("once"),
            run("once")
        ),
        "<w:p><w:r><w:delText>gone</w:delText></w:r></w:p>".to_owned(),
    ];
    let text = world.text(DOCX, document(&body.concat())).await.unwrap();
    assert_eq!(text, "R&D € plan\na b\nName Amount\n\nonce");
}

#[tokio::test]
async fn slides_follow_their_numbers() {
    let world = World::start().await;
    let slide = |text: &str| format!("<p:sld xmlns:a=\"a\"><a:p><a:t>{text}</a:t></a:p></p:sld>");
    let (second, tenth) = (slide("second"), slide("tenth"));
    let slides = archive(&[
        ("ppt/slides/slide10.xml", tenth.as_bytes()),
        ("ppt/slides/slide2.xml", second.as_bytes()),
        ("ppt/slides/_rels/slide2.xml.rels", b"<r/>"),
    ]);
    let text = world.text(PPTX, slides).await.unwrap();
    assert_eq!(text, "Slide 1\nsecond\n\nSlide 2\ntenth");
}

#[tokio::test]
async fn a_message_shows_its_people_and_the_best_of_its_bodies() {
    let world = World::start().await;
    let head = "From: Ada <ada@example.com>\r\nCc: eve@example.com\r\nSubject: Plan\r\nMIME-Version: 1.0\r\n";
    let html = format!("{head}Content-Type: text/html\r\n\r\n<p>Hi <b>all</b></p>");
    let text = world
        .text("message/rfc822", html.into_bytes())
        .await
        .unwrap();
    assert_eq!(
        text,
        "# Plan\n\n**From:** Ada <ada@example.com>\n**Cc:** eve@example.com\n\n---\n\nHi **all**"
    );
}

#[tokio::test]
async fn files_cut_short_or_made_of_noise_end_in_an_answer() {
    let world = World::start().await;
    let noise: Vec<u8> = (0..20_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1])
        .collect();
    let whole = document("<w:p><w:r><w:t>text</w:t></w:r></w:p>");
    let mut files = vec![noise.clone(), whole[..whole.len() / 2].to_vec(), Vec::new()];
    for magic in [
        &b"%PDF-1.7\n"[..],
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ] {
        files.push([magic, &noise].concat());
    }
    let types = [
        "text/plain",
        "text/html",
        "text/csv",
        "application/pdf",
        "application/vnd.ms-excel",
        "application/vnd.ms-outlook",
        "message/rfc822",
        DOCX,
        PPTX,
        XLSX,
    ];
    for mime_type in types {
        for file in &files {
            let answer = world.text(mime_type, file.clone()).await;
            if let Err((status, text)) = answer {
                assert_eq!(status, 500, "{mime_type}: {text}");
                assert!(text.starts_with("Content extraction failed: "), "{text}");
                assert!(
                    ![
                        "text/plain",
                        "text/html",
                        "text/csv",
                        "application/pdf",
                        "application/vnd.ms-excel"
                    ]
                    .contains(&mime_type),
                    "{mime_type} never fails: {text}"
                );
            }
        }
    }
    assert_eq!(
        world.text("text/plain", b"alive".to_vec()).await.unwrap(),
        "alive"
    );
}
