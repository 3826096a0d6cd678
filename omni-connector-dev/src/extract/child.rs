//! Runs the reader program once: sends the file, receives frames, and kills the program after any
//! fault.

use std::{
    io,
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use omni_connector_readers::{Frame, Job};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout_at,
};

use super::{FileNote, FileNoteKind, Program};
use crate::options::ExtractionLimits;

/// JSON needs up to six bytes for one byte of text.
const ESCAPED: u64 = 6;
/// Bytes allowed for names and reasons in addition to the text.
const REST: u64 = 4 << 20;
/// Bytes kept of the program's standard error.
const STDERR_TAIL: u64 = 4 << 10;
/// How long the program may take to exit after it reported that it is done.
const FAREWELL: Duration = Duration::from_secs(2);

/// How one run of the program ended.
#[derive(Debug)]
pub(super) enum End {
    Done,
    /// The file cannot be read at all.
    Failed(String),
    /// The program exited or was killed before it was done.
    Died(String),
    /// The file's time limit passed.
    Late,
}

/// The text and faults of one file, collected over all runs of the program.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) text: String,
    pub(super) failure: Option<String>,
    /// Index of the part after the last one that began.
    pub(super) next_part: usize,
    /// Name of the part being read.
    part: Option<String>,
    notes: Vec<(FileNoteKind, Option<String>, String)>,
}

impl Reading {
    fn take(&mut self, frame: Frame) -> Option<End> {
        match frame {
            Frame::Part { index, name } => {
                self.next_part = index + 1;
                self.part = Some(name);
            }
            Frame::Text { text } => self.text.push_str(&text),
            Frame::Lost { what, why } => {
                self.notes.push((FileNoteKind::Partly, Some(what), why));
            }
            Frame::OmniLoses { what } => {
                self.notes.push((FileNoteKind::OmniLoses, None, what));
            }
            Frame::Done => return Some(End::Done),
            Frame::Failed { why } => return Some(End::Failed(why)),
        }
        None
    }

    /// Records how a run of the program ended. Returns whether it had begun a part, so that reading
    /// can go on with the next part.
    pub(super) fn ended(&mut self, end: End, limits: &ExtractionLimits) -> bool {
        let part = self.part.take();
        let begun = part.is_some();
        match end {
            End::Done => {}
            End::Failed(why) => self.failure = Some(why),
            End::Late => {
                let why = format!(
                    "reading took longer than {} s",
                    limits.max_time.as_secs_f32()
                );
                let from = part.map_or("everything".to_owned(), |part| format!("from {part} on"));
                self.lost(from, why);
            }
            End::Died(why) => self.lost(part.unwrap_or_else(|| "everything".to_owned()), why),
        }
        begun
    }

    fn lost(&mut self, what: String, why: String) {
        if self.text.is_empty() {
            self.failure = Some(why.clone());
        }
        self.notes.push((FileNoteKind::Partly, Some(what), why));
    }

    /// Returns the notes for people about the file named `file`.
    pub(super) fn notes(&self, file: &str) -> Vec<FileNote> {
        let mut notes: Vec<_> = self
            .notes
            .iter()
            .map(|(kind, part, reason)| FileNote {
                file: file.to_owned(),
                kind: *kind,
                part: part.clone(),
                reason: reason.clone(),
            })
            .collect();
        if self.text.trim().is_empty() {
            let lost = notes.iter().find(|note| note.kind == FileNoteKind::Partly);
            let lost = lost.map(|note| note.reason.clone());
            let why = self.failure.clone().or(lost);
            let why = why.unwrap_or_else(|| "there is no text in it".to_owned());
            notes.retain(|note| note.kind == FileNoteKind::Partly && note.reason != why);
            notes.insert(0, FileNote::unread(file, why));
        }
        notes
    }
}

/// Starts the program for one file and collects its output. Kills the program after `silence`
/// without output within a part, at `until`, and when this future is dropped.
pub(super) async fn read(
    program: &Program,
    job: &Job,
    data: Bytes,
    until: Instant,
    silence: Duration,
    reading: &mut Reading,
) -> End {
    let mut child = match start(program, job) {
        Ok(child) => child,
        Err(error) => return End::Failed(format!("`{program}` cannot be started: {error}")),
    };
    if let Some(mut input) = child.stdin.take() {
        // A program that exits early closes its input; its exit status explains why.
        tokio::spawn(async move { input.write_all(&data).await });
    }
    let last_words = child.stderr.take().map(|stderr| {
        tokio::spawn(async move {
            let mut words = Vec::new();
            let _ = stderr.take(STDERR_TAIL).read_to_end(&mut words).await;
            String::from_utf8_lossy(&words).into_owned()
        })
    });
    let output = child.stdout.take();
    let listened = match output {
        Some(output) => listen(output, job, until, silence, reading).await,
        None => Err(Stopped::Ended),
    };
    match listened {
        Ok(end) => {
            if tokio::time::timeout(FAREWELL, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
            end
        }
        Err(Stopped::Late) => {
            let _ = child.kill().await;
            End::Late
        }
        Err(Stopped::Silent) => {
            let _ = child.kill().await;
            End::Died(format!(
                "nothing came of it for {} s",
                silence.as_secs_f32()
            ))
        }
        Err(Stopped::Nonsense(why)) => {
            let _ = child.kill().await;
            End::Died(why)
        }
        Err(Stopped::Ended) => {
            let status = child.wait().await;
            let words = match last_words {
                Some(words) => words.await.unwrap_or_default(),
                None => String::new(),
            };
            End::Died(cause_of_death(status, &words, job))
        }
    }
}

fn start(program: &Program, job: &Job) -> io::Result<Child> {
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .arg(serde_json::to_string(job)?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Ctrl-C must reach the manager only, which then kills the program itself.
    #[cfg(unix)]
    command.process_group(0);
    command.spawn()
}

/// Why the manager stopped reading before the program was done.
enum Stopped {
    Ended,
    Late,
    Silent,
    Nonsense(String),
}

async fn listen(
    output: ChildStdout,
    job: &Job,
    until: Instant,
    silence: Duration,
    reading: &mut Reading,
) -> Result<End, Stopped> {
    let most = job.max_text_bytes as u64 * ESCAPED + REST;
    let mut lines = BufReader::new(output.take(most));
    let mut line = Vec::new();
    let mut is_within_part = false;
    loop {
        line.clear();
        let patience = Instant::now() + silence;
        let ends = if is_within_part {
            patience.min(until)
        } else {
            until
        };
        let read = timeout_at(ends.into(), lines.read_until(b'\n', &mut line)).await;
        match read {
            Err(_) if ends == until => return Err(Stopped::Late),
            Err(_) => return Err(Stopped::Silent),
            Ok(_) if line.last() != Some(&b'\n') => {
                return Err(if lines.get_ref().limit() == 0 {
                    Stopped::Nonsense(format!("it gave more than {most} bytes"))
                } else {
                    Stopped::Ended
                });
            }
            Ok(_) => {}
        }
        let frame = serde_json::from_slice(&line).map_err(|error| {
            Stopped::Nonsense(format!("`omni-readers` is of another version: {error}"))
        })?;
        is_within_part |= matches!(frame, Frame::Part { .. });
        if let Some(end) = reading.take(frame) {
            return Ok(end);
        }
    }
}

/// Explains to people why the program exited.
fn cause_of_death(status: io::Result<ExitStatus>, words: &str, job: &Job) -> String {
    if words.contains("memory allocation of") {
        return format!(
            "reading took more memory than {} MiB",
            job.max_memory_bytes >> 20
        );
    }
    if words.contains("overflowed its stack") {
        return "it nests too deep".to_owned();
    }
    let words = words.lines().next().unwrap_or_default().trim();
    match status {
        Ok(status) if words.is_empty() => format!("its reader ended: {status}"),
        Ok(status) => format!("its reader ended: {status}: {words}"),
        Err(error) => format!("its reader ended: {error}"),
    }
}
