//! Tests malicious and damaged files. Each fails alone: the manager answers in time, releases the
//! permit, leaves no process behind, and reports every omission.

use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
    time::{Duration, Instant},
};

use omni_connector::HttpClient;
use omni_connector_dev::{FileNote, FileNoteKind, Manager, Options};
use reqwest::multipart::{Form, Part};
use serde_json::Value;
use zip::{ZipWriter, write::SimpleFileOptions};

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
const PDF: &str = "application/pdf";
const PDF_FAILURE: &str = "[Text extraction failed for this PDF. ";

struct World {
    manager: Manager,
    http: HttpClient,
}

impl World {
    /// A manager that reads one file at a time.
    async fn start(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        options.runs.tick = None;
        options.extraction.concurrency = 1;
        change(&mut options);
        Self {
            manager: Manager::start(options).await.unwrap(),
            http: HttpClient::new(),
        }
    }

    async fn text(&self, mime_type: &str, data: Vec<u8>) -> Result<String, (u16, String)> {
        let form = Form::new()
            .text("sync_run_id", "run")
            .text("mime_type", mime_type.to_owned())
            .text("filename", "the.file")
            .part("data", Part::bytes(data).file_name("file"));
        let url = format!("{}/sdk/extract-text", self.manager.url());
        let request = self.http.post(url).multipart(form);
        // The program may have to be built first.
        let answer = request
            .timeout(Duration::from_mins(20))
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

    fn notes(&self) -> Vec<FileNote> {
        self.manager.file_notes("run")
    }

    fn note(&self, kind: FileNoteKind) -> String {
        let notes = self.notes();
        let note = notes.iter().find(|note| note.kind == kind);
        let note = note.unwrap_or_else(|| panic!("no {kind:?} in {notes:?}"));
        assert_eq!(note.file, "the.file");
        format!(
            "{}: {}",
            note.part.as_deref().unwrap_or_default(),
            note.reason
        )
    }

    /// Checks that the permit was released.
    async fn reads_on(&self) {
        let text = self.text("text/plain", b"alive".to_vec()).await;
        assert_eq!(text.unwrap(), "alive");
    }
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in parts {
        let options = SimpleFileOptions::default();
        archive.start_file(*name, options).unwrap();
        archive.write_all(data).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn document(body: &str) -> Vec<u8> {
    let xml = format!("<w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>");
    archive(&[("word/document.xml", xml.as_bytes())])
}

#[tokio::test]
async fn a_document_is_read_by_a_separate_process() {
    let world = World::start(|_| {}).await;
    let body = "<w:p><w:r><w:t>R&amp;D &#8364; plan</w:t></w:r></w:p>";
    let text = world.text(DOCX, document(body)).await.unwrap();
    assert_eq!(text, "R&D € plan");
    assert_eq!(world.notes(), []);
}

#[tokio::test]
async fn files_without_text_are_answered_as_omni_does_and_noted() {
    let world = World::start(|_| {}).await;
    let nothing = world.text("image/png", b"\x89PNG".to_vec()).await;
    assert_eq!(nothing.unwrap(), "");
    let pdf = world.text(PDF, b"hello".to_vec()).await.unwrap();
    assert!(pdf.starts_with(PDF_FAILURE), "{pdf}");
    let workbook = world
        .text("application/vnd.ms-excel", b"hello".to_vec())
        .await;
    assert_eq!(workbook.unwrap(), "");
    let document = world.text(DOCX, Vec::new()).await;
    assert_eq!(
        document.unwrap_err(),
        (
            500,
            "Content extraction failed: Failed to read DOCX".to_owned()
        )
    );
    let reasons: Vec<_> = world
        .notes()
        .into_iter()
        .map(|note| (note.kind, note.reason))
        .collect();
    let unread = |reason: &str| (FileNoteKind::Unread, reason.to_owned());
    assert_eq!(
        reasons,
        [
            unread("nothing of `image/png` could be read"),
            unread("it is no PDF: `%PDF-` is missing at its beginning"),
            unread("it is no workbook"),
            unread("the file is empty"),
        ]
    );
}

#[tokio::test]
async fn text_that_omni_loses_is_noted() {
    let world = World::start(|_| {}).await;
    let page = b"<html><head><meta charset=\"iso-8859-1\"></head><body>Gr\xf6\xdfe</body></html>";
    let text = world.text("text/html", page.to_vec()).await.unwrap();
    assert_eq!(text, "Größe");
    let note = world.note(FileNoteKind::OmniLoses);
    assert_eq!(note, ": text in windows-1252");
}

/// An archive whose main part inflates beyond the memory limit of the program.
#[tokio::test]
async fn a_file_that_takes_too_much_memory_ends_its_program_alone() {
    let world = World::start(|options| options.extraction.max_memory_bytes = 256 << 20).await;
    let flood = " ".repeat(120 << 20);
    let bomb = document(&flood);
    let text = world.text(DOCX, bomb).await;
    assert_eq!(text.unwrap_err().0, 500);
    let note = world.note(FileNoteKind::Unread);
    assert_eq!(note, ": reading took more memory than 256 MiB");
    world.reads_on().await;
}

/// Writes a script in place of the reader, for faults that no file causes reliably.
#[cfg(unix)]
fn script(folder: &Path, text: &str) -> Vec<std::ffi::OsString> {
    let path = folder.join("reader.sh");
    let pid = folder.join("pid");
    fs::write(&path, format!("echo $$ > '{}'\n{text}\n", pid.display())).unwrap();
    vec!["sh".into(), path.into()]
}

/// Returns whether the program that `script` started has ended.
#[cfg(unix)]
async fn is_gone(folder: &Path) -> bool {
    let pid = fs::read_to_string(folder.join("pid")).unwrap();
    let process = Path::new("/proc").join(pid.trim());
    for _ in 0..100 {
        if !process.exists() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

#[cfg(unix)]
const PART: &str = r#"cat > /dev/null
case "$1" in
    *'"first_part":0'*) echo '{"frame":"part","index":0,"name":"page 1"}'; echo '{"frame":"text","text":"early words "}' ;;
esac"#;

#[cfg(unix)]
#[tokio::test]
async fn a_reader_that_loops_for_ever_is_ended_and_its_text_kept() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(|options| {
        options.extraction.max_time = Duration::from_secs(2);
        options.extraction.program = script(folder.path(), &format!("{PART}\nwhile :; do :; done"));
    })
    .await;
    let begun = Instant::now();
    let text = world.text(PDF, b"%PDF-".to_vec()).await.unwrap();
    assert_eq!(text, "early words");
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    let note = world.note(FileNoteKind::Partly);
    assert_eq!(note, "page 1: nothing came of it for 0.5 s");
    assert!(is_gone(folder.path()).await);
    world.reads_on().await;
}

#[cfg(unix)]
#[tokio::test]
async fn reading_continues_after_a_page_that_crashed_its_reader() {
    let folder = tempfile::tempdir().unwrap();
    let rest = r#"case "$1" in
    *'"first_part":0'*) kill -SEGV $$ ;;
    *'"first_part":1'*) echo '{"frame":"part","index":1,"name":"page 2"}'; echo '{"frame":"text","text":"late words"}'; echo '{"frame":"done"}' ;;
esac"#;
    let world = World::start(|options| {
        options.extraction.program = script(folder.path(), &format!("{PART}\n{rest}"));
    })
    .await;
    let text = world.text(PDF, b"%PDF-".to_vec()).await.unwrap();
    assert_eq!(text, "early words late words");
    let note = world.note(FileNoteKind::Partly);
    assert!(
        note.starts_with("page 1: its reader ended: signal: 11"),
        "{note}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_reader_that_never_stops_talking_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let flood = "cat > /dev/null; while :; do echo '{\"frame\":\"lost\",\"what\":\"x\",\"why\":\"0123456789\"}'; done";
    let world = World::start(|options| {
        options.extraction.max_text_bytes = 1000;
        options.extraction.program = script(folder.path(), flood);
    })
    .await;
    let text = world.text(PDF, b"%PDF-".to_vec()).await.unwrap();
    assert!(text.starts_with(PDF_FAILURE), "{text}");
    assert!(is_gone(folder.path()).await);
    world.reads_on().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_caller_that_disconnects_ends_its_reader() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::start(|options| {
        options.extraction.program = script(folder.path(), "while :; do :; done");
    })
    .await;
    let asked = tokio::time::timeout(Duration::from_secs(2), world.text(PDF, b"%PDF-".to_vec()));
    assert!(asked.await.is_err(), "the reader never ends by itself");
    assert!(is_gone(folder.path()).await);
    world.reads_on().await;
}

#[tokio::test]
async fn a_file_that_takes_too_long_keeps_what_was_read() {
    let world = World::start(|options| options.extraction.max_time = Duration::from_secs(4)).await;
    // Finds the program, and builds it if needed, outside of a file's time limit.
    world.text(PDF, b"hello".to_vec()).await.unwrap();
    let slides: Vec<_> = (1..=2000)
        .map(|number| {
            let words = format!("<a:p><a:t>longpage{number}</a:t></a:p>").repeat(400);
            let shapes = "<a:x/>".repeat(20_000);
            let slide = format!("<p:sld>{words}{shapes}</p:sld>");
            (format!("ppt/slides/slide{number}.xml"), slide)
        })
        .collect();
    let slides: Vec<_> = slides
        .iter()
        .map(|(name, slide)| (&**name, slide.as_bytes()))
        .collect();
    let text = world.text(PPTX, archive(&slides)).await.unwrap();
    assert!(text.contains("longpage1\n"), "{} bytes", text.len());
    assert!(!text.contains("longpage2000"), "{} bytes", text.len());
    let note = world.note(FileNoteKind::Partly);
    assert!(
        note.starts_with("from slide ") && note.ends_with("reading took longer than 4 s"),
        "{note}"
    );
    world.reads_on().await;
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_named() {
    let world = World::start(|options| {
        options.extraction.program = vec!["/nowhere/omni-readers".into()];
    })
    .await;
    let text = world.text(PDF, b"%PDF-".to_vec()).await.unwrap();
    assert!(text.starts_with(PDF_FAILURE), "{text}");
    let note = world.note(FileNoteKind::Unread);
    assert!(
        note.contains("`/nowhere/omni-readers` cannot be started"),
        "{note}"
    );
}
