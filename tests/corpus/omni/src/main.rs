//! Reads a file from standard input with Omni's crates; the argument names its kind. PDF is
//! compared through `pdf_oxide` for Python.

use std::io::{Cursor, Read, stdin};

use calamine::{Data, Reader, open_workbook_auto_from_rs};
use docx_rs::{
    DocumentChild, Paragraph, ParagraphChild, RunChild, TableCellContent, TableChild, TableRowChild,
};
use mail_parser::{MessageParser, PartType};
use quick_xml::events::Event;

fn main() {
    let mut data = Vec::new();
    stdin().read_to_end(&mut data).expect("standard input");
    let kind = std::env::args().nth(1).expect("a kind of file");
    let text = match kind.as_str() {
        "docx" => docx(&data),
        "pptx" => pptx(&data),
        "xlsx" | "xls" => workbook(&data),
        "eml" => eml(&data),
        "html" => htmd::convert(&String::from_utf8_lossy(&data)).ok(),
        _ => Some(String::from_utf8_lossy(&data).into_owned()),
    };
    println!("{}", text.unwrap_or_default());
}

fn docx(data: &[u8]) -> Option<String> {
    let mut text = String::new();
    for child in &docx_rs::read_docx(data).ok()?.document.children {
        match child {
            DocumentChild::Paragraph(found) => paragraph(found, &mut text),
            DocumentChild::Table(table) => {
                for TableChild::TableRow(row) in &table.rows {
                    for TableRowChild::TableCell(cell) in &row.cells {
                        for content in &cell.children {
                            if let TableCellContent::Paragraph(found) = content {
                                paragraph(found, &mut text);
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Some(text)
}

fn paragraph(paragraph: &Paragraph, text: &mut String) {
    for child in &paragraph.children {
        if let ParagraphChild::Run(run) = child {
            for child in &run.children {
                if let RunChild::Text(run) = child {
                    text.push_str(&run.text);
                }
            }
        }
    }
    text.push('\n');
}

fn pptx(data: &[u8]) -> Option<String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(data)).ok()?;
    let mut text = String::new();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).ok()?;
        let name = part.name().ok()?.into_owned();
        if !(name.starts_with("ppt/slides/slide") && name.ends_with(".xml")) {
            continue;
        }
        let mut xml = String::new();
        part.read_to_string(&mut xml).ok()?;
        let mut reader = quick_xml::Reader::from_str(&xml);
        let mut is_in_text = false;
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => is_in_text = tag.name().as_ref() == "a:t",
                Event::End(_) => is_in_text = false,
                Event::Text(piece) if is_in_text => text.push_str(&(piece.xml10_content() + " ")),
                Event::Eof => break,
                _ => {}
            }
        }
    }
    Some(text)
}

fn workbook(data: &[u8]) -> Option<String> {
    let mut book = open_workbook_auto_from_rs(Cursor::new(data)).ok()?;
    let mut text = String::new();
    for name in book.sheet_names() {
        text += &format!("Sheet: {name}\n");
        for row in book.worksheet_range(&name).ok()?.rows() {
            for cell in row {
                if let Data::String(cell) = cell {
                    text += &format!("{cell}\t");
                }
            }
        }
    }
    Some(text)
}

fn eml(data: &[u8]) -> Option<String> {
    let message = MessageParser::default().parse(data)?;
    let mut text = format!("{} {:?} {:?}\n", message.subject().unwrap_or_default(), message.from(), message.to());
    for part in message.text_bodies() {
        match &part.body {
            PartType::Text(body) | PartType::Html(body) => text += body,
            _ => {}
        }
    }
    Some(text)
}
