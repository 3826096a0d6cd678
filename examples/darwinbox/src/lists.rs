//! Makes documents of list entries: their content, readers and ids. Ids are Omni's own wherever these distinguish
//! records.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use omni_connector::prelude::*;

use crate::{kinds::Kind, record::Record};

/// A record, as a document.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) kind: &'static str,
    pub(crate) title: String,
    /// The value for the kind's operator.
    pub(crate) value: String,
    pub(crate) id: String,
    text: String,
    second: Option<(&'static str, String)>,
    readers: DocumentPermissions,
    /// Distinguishes it from other records with the same id, and all its fields.
    identity: String,
    canonical: String,
}

impl Entry {
    /// Makes an entry from a record. `slug` is the part of the id that Omni's own connector derives.
    pub(crate) fn new(
        kind: &'static Kind,
        record: &Record,
        slug: &str,
        readers: DocumentPermissions,
    ) -> Self {
        let title = record
            .first(kind.title)
            .unwrap_or_else(|| kind.untitled.to_owned());
        let mut text = format!("# {title}");
        if kind.gap {
            text.push('\n');
        }
        let mut said = String::new();
        for (label, fields, is_always) in kind.lines() {
            let value = record.first(fields);
            if value.is_some() || is_always {
                let value = value.unwrap_or_default();
                let _ = write!(text, "\n- {label}: {value}");
                let _ = writeln!(said, "{value}");
            }
        }
        let (key, fields) = kind.second;
        // A history row is identified by all its fields, a record of a list by its naming fields only, without its status.
        let identity = match kind.value {
            "" => format!("{title}\n{}", record.first(fields).unwrap_or_default()),
            _ => said,
        };
        Self {
            kind: kind.name,
            value: record.first(kind.value).unwrap_or_else(|| title.clone()),
            id: format!("{}{slug}", kind.id()),
            title,
            text,
            second: record.first(fields).map(|second| (key, second)),
            readers,
            identity,
            canonical: record.canonical(),
        }
    }

    /// Returns a value that changes with the document.
    pub(crate) fn version(&self) -> Value {
        json!([self.title, self.value, self.text, self.second, self.readers])
    }

    pub(crate) fn document(&self) -> Document<'_> {
        let mut document = Document::new(&self.id, self.readers.clone())
            .title(&self.title)
            .text(&self.text)
            .content_type(self.kind)
            .mime_type("text/markdown")
            .size(self.text.len() as u64)
            .attribute("source_type", "darwinbox")
            .attribute("content_type", self.kind)
            .attributes_of(self);
        if self.kind == "holiday" {
            document = document.attribute("holiday_name", &self.value);
        }
        match &self.second {
            Some((key, value)) => document.attribute(*key, value),
            None => document,
        }
    }
}

/// Returns the readers of a record: everybody, unless its status says that it is over.
pub(crate) fn readers(kind: &Kind, record: &Record) -> DocumentPermissions {
    match record.get("status") {
        Some(Value::String(status))
            if !kind.shown.contains(&status.trim().to_lowercase().as_str()) =>
        {
            DocumentPermissions::private()
        }
        _ => DocumentPermissions::public(),
    }
}

/// Returns a record's part of the id. Returns `None` if no field is suitable.
pub(crate) fn slug_of(record: &Record) -> Option<String> {
    const FIELDS: &str = "id|code|job_id|employee_id|employee_number|employee_no|department_code|designation_code|work_area_code|\
                          loc_type_id|work_area|city_code|city_id|job_level|job_level_code|name|department_name|job_title";
    record.first(FIELDS).map(|text| slug(&text))
}

/// Converts a string to ASCII letters and digits in lower case. Everything else becomes a dash, except at the ends.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for c in text.trim().chars() {
        slug.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        });
    }
    slug.trim_matches('-').to_owned()
}

/// Gives every record its own id. Among records with the same id, the first in the order of their identities keeps it;
/// the others get a suffix. Identical records become one.
pub(crate) fn tell_apart(entries: Vec<Entry>) -> Vec<Entry> {
    let mut by_id: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        by_id.entry(entry.id.clone()).or_default().push(entry);
    }
    let mut apart = Vec::new();
    for (id, mut alike) in by_id {
        alike.sort_by(|a, b| (&a.identity, &a.canonical).cmp(&(&b.identity, &b.canonical)));
        alike.dedup_by(|a, b| a.canonical == b.canonical && a.readers == b.readers);
        let mut taken = BTreeSet::new();
        for (at, mut entry) in alike.into_iter().enumerate() {
            if at > 0 {
                entry.id = format!("{id}~{:016x}", hash(&entry.identity));
            }
            let first = entry.id.clone();
            for n in 2.. {
                if taken.insert(entry.id.clone()) {
                    break;
                }
                entry.id = format!("{first}~{n}");
            }
            apart.push(entry);
        }
    }
    apart
}

/// Computes FNV-1a. It is part of ids, so it must never change.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
