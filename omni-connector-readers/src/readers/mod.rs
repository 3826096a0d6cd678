//! Reads one file: sets the process's limits, then runs the reader of the file's format.

mod charset;
mod compound;
mod csv;
mod dos;
mod html;
mod legacy;
mod mail;
mod office;
mod parts;
mod pdf;
mod program;
mod records;
mod rows;
mod rtf;
mod sparse;
mod text;
mod western;
mod wide;
mod workbook;

use crate::{Format, Frame, Job};

use parts::Parts;
pub use program::main;

/// Why a file cannot be read at all.
type Refusal = String;

/// Reads a file and emits its frames as they come. A panic loses one part, or the whole file when
/// it has no parts.
pub fn read(job: &Job, data: &[u8], emit: &mut dyn FnMut(Frame)) {
    let mut parts = Parts::new(job, emit);
    let read = parts.guarded(|parts| match job.format {
        Format::Text => text::read(data, parts),
        Format::Html => {
            html::read(data, parts);
            Ok(())
        }
        Format::Csv => {
            csv::read(data, job.max_rows, parts);
            Ok(())
        }
        Format::Pdf => pdf::read(data, parts),
        Format::UnreadPdf => Err("Omni reads nothing of the type `application/x-pdf`".to_owned()),
        Format::Docx | Format::Pptx | Format::Xlsx => {
            office::read(job.format, data, job.max_rows, parts)
        }
        Format::Xls => legacy::read(data, job.max_rows, parts),
        Format::Eml => mail::eml(data, parts),
        Format::Msg => mail::msg(data, parts),
    });
    match read {
        Ok(Ok(())) => parts.done(),
        Ok(Err(why)) => parts.failed(why),
        Err(panic) => parts.failed(format!("its reader gave up: {panic}")),
    }
}
