//! Tests each format: its text, the lost parts, and the text that Omni loses. The files in `files/`
//! were written by the programs in their names; `tests/corpus/make.py` of the workspace creates
//! them.

mod compound;
mod damaged_mails;
mod damaged_workbooks;
mod documents;
mod mails;
mod outlook;
mod pages;
mod pdfs;
mod spellings;
mod spreadsheets;
mod texts;
mod workbooks;

use std::{
    io::{Cursor, Write},
    process::{Command, Stdio},
};

use omni_connector_readers::{Format, Frame, Job, read};
use zip::{ZipWriter, write::SimpleFileOptions};

/// The result of reading a file.
#[derive(Debug, Default)]
struct Outcome {
    text: String,
    lost: Vec<(String, String)>,
    omni_loses: Vec<String>,
    failure: Option<String>,
}

fn job(format: Format) -> Job {
    Job {
        format,
        first_part: 0,
        max_rows: 1000,
        max_text_bytes: 5 << 20,
        max_memory_bytes: 1 << 30,
        max_seconds: 60,
    }
}

fn outcome(format: Format, data: &[u8]) -> Outcome {
    outcome_of(&job(format), data)
}

fn outcome_of(job: &Job, data: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut is_over = false;
    read(job, data, &mut |frame| {
        assert!(!is_over, "a frame after the last one: {frame:?}");
        match frame {
            Frame::Part { .. } => {}
            Frame::Text { text } => outcome.text.push_str(&text),
            Frame::Lost { what, why } => outcome.lost.push((what, why)),
            Frame::OmniLoses { what } => outcome.omni_loses.push(what),
            Frame::Done => is_over = true,
            Frame::Failed { why } => {
                is_over = true;
                outcome.failure = Some(why);
            }
        }
    });
    assert!(is_over, "the last frame is missing");
    outcome
}

/// Reads a file with the program, which limits its memory, and returns its frames.
#[cfg(unix)]
fn program(job: &Job, data: &[u8]) -> Vec<Frame> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_omni-readers"))
        .arg(serde_json::to_string(job).unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(data).unwrap();
    let output = program.wait_with_output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The text of all frames.
#[cfg(unix)]
fn text_of(frames: &[Frame]) -> String {
    let texts = frames.iter().filter_map(|frame| match frame {
        Frame::Text { text } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

impl Outcome {
    /// Checks that the words were read and nothing was lost.
    #[track_caller]
    fn holds(&self, words: &[&str]) -> &Self {
        assert_eq!(self.failure, None);
        assert_eq!(self.lost, []);
        for word in words {
            assert!(
                self.text.contains(word),
                "`{word}` is not in {:?}",
                self.text
            );
        }
        self
    }

    #[track_caller]
    fn lacks(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(!self.text.contains(word), "`{word}` is in {:?}", self.text);
        }
        self
    }

    #[track_caller]
    fn omni_loses(&self, what: &[&str]) -> &Self {
        assert_eq!(self.omni_loses, what);
        self
    }
}

fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in parts {
        let options = SimpleFileOptions::default();
        archive.start_file(*name, options).unwrap();
        archive.write_all(data.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A list of relationships: id, last word of the type, target.
fn relationships(all: &[(&str, &str, &str)]) -> String {
    let list = all.iter().map(|(id, kind, target)| {
        format!(r#"<Relationship Id="{id}" Type="http://x/{kind}" Target="{target}"/>"#)
    });
    format!(
        "<Relationships>{}</Relationships>",
        list.collect::<String>()
    )
}

/// Tries random bytes and the first half of a file.
#[test]
fn truncated_and_random_files_end_in_an_answer() {
    let noise: Vec<u8> = (0..20_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1])
        .collect();
    let mut files = vec![Vec::new(), noise.clone()];
    for magic in [
        &b"%PDF-1.7\n"[..],
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ] {
        files.push([magic, &noise].concat());
    }
    for file in [
        &include_bytes!("../files/scan-with-text.pdf")[..],
        include_bytes!("../files/xlsxwriter-False.xlsx"),
        include_bytes!("../files/xlwt-60-rows.xls"),
        include_bytes!("../files/python-pptx-shapes.pptx"),
    ] {
        files.push(file[..file.len() / 2].to_vec());
    }
    for format in [
        Format::Text,
        Format::Html,
        Format::Csv,
        Format::Pdf,
        Format::Docx,
        Format::Pptx,
        Format::Xlsx,
        Format::Xls,
        Format::Eml,
        Format::Msg,
    ] {
        for file in &files {
            outcome(format, file);
        }
    }
}

#[test]
fn control_characters_between_words_become_blanks() {
    let outcome = outcome(
        Format::Text,
        b"first\x0bsecond\x0cthird\xc2\x85fourth\0fifth",
    );
    assert_eq!(outcome.text, "first second third fourth fifth");
}

#[test]
fn rtf_that_is_called_text_is_not_read_as_text() {
    let outcome = outcome(
        Format::Text,
        b"{\\rtf1{\\fonttbl{\\f0 Arial;}}Gr\\'fc\\'dfe}",
    );
    assert_eq!(outcome.failure.as_deref(), Some("RTF is not read"));
    outcome.lacks(&["fonttbl"]);
}

#[test]
fn a_text_in_another_encoding_is_decoded() {
    let german = "Größere Straßenbauarbeiten verzögern die Übergabe der Schlüssel.";
    let russian = "Квартальный отчёт содержит счета поставщиков северного склада.";
    let japanese = "四半期報告書には仕入先の請求書が含まれています。";
    for (encoding, text) in [
        (encoding_rs::WINDOWS_1252, german),
        (encoding_rs::WINDOWS_1251, russian),
        (encoding_rs::SHIFT_JIS, japanese),
        (
            encoding_rs::GBK,
            "季度报告包含北方仓库供应商的发票,请在星期二之前确认。",
        ),
    ] {
        let bytes = encoding.encode(text).0;
        let outcome = outcome(Format::Text, &bytes);
        outcome
            .holds(&[text])
            .omni_loses(&[&format!("text in {}", encoding.name())]);
    }
    for order in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
        for mark in ["\u{feff}", ""] {
            let text = format!("{mark}plain words");
            let bytes: Vec<u8> = text.encode_utf16().flat_map(order).collect();
            outcome(Format::Csv, &bytes).holds(&["plain words"]);
        }
    }
}

/// A cut file, or one line in another charset, must not change the charset of all others.
#[test]
fn a_bad_byte_in_utf_8_costs_that_byte() {
    for bad in [&b"\xc3"[..], b"\xff word", b"\xe4"] {
        let text = [&"Größe und Straße ".repeat(3).into_bytes(), bad].concat();
        outcome(Format::Text, &text).holds(&["Größe und Straße"]);
    }
}

#[test]
fn japanese_in_seven_bits_is_decoded() {
    let bytes = encoding_rs::ISO_2022_JP.encode("四半期報告書").0;
    outcome(Format::Text, &bytes).holds(&["四半期報告書"]);
}

#[test]
fn reading_continues_after_a_part_that_crashed_the_program() {
    let slide = |word: &str| format!("<p:sld><a:p><a:t>{word}</a:t></a:p></p:sld>");
    let deck = archive(&[
        ("ppt/slides/slide1.xml", &slide("one")),
        ("ppt/slides/slide2.xml", &slide("two")),
        ("ppt/slides/slide3.xml", &slide("three")),
    ]);
    let job = Job {
        first_part: 2,
        ..job(Format::Pptx)
    };
    assert_eq!(outcome_of(&job, &deck).text.trim(), "Slide 3\nthree");
}

#[test]
fn the_text_never_exceeds_the_managers_limit() {
    let job = Job {
        max_text_bytes: 100,
        ..job(Format::Csv)
    };
    let text = "word\n".repeat(1000);
    assert_eq!(outcome_of(&job, text.as_bytes()).text.len(), 101);
}
