//! Opens an office file's archive: finds parts by name and by relationship.

use std::{
    collections::HashMap,
    io::{Cursor, Read},
};

use zip::ZipArchive;

use super::xml::{self, Events};
use crate::{Format, readers::Refusal};

/// Longest inflated part that is read.
const LONGEST_PART: u64 = 128 << 20;

pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Archive indexes by part name, in lower case with `/` between folders, since part names
    /// ignore case.
    places: HashMap<String, usize>,
}

/// The target of a part's relationship.
pub(super) struct Related {
    /// Last segment of the relationship's type, such as `slide`.
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) name: String,
}

impl<'a> Package<'a> {
    pub(super) fn open(data: &'a [u8]) -> Result<Self, Refusal> {
        let mut archive = ZipArchive::new(Cursor::new(data))
            .map_err(|error| format!("its archive cannot be read: {error}"))?;
        let mut places = HashMap::new();
        for index in 0..archive.len() {
            if let Ok(part) = archive.by_index_raw(index)
                && let Ok(name) = part.name()
            {
                places.insert(normal(&name), index);
            }
        }
        Ok(Self { archive, places })
    }

    /// Returns the format named by the main part's content type.
    pub(super) fn format(&mut self) -> Option<Format> {
        let main = self.main("").ok()?;
        let types = self.content_types();
        let (_, kind) = types.into_iter().find(|(name, _)| *name == main)?;
        [
            ("wordprocessingml", Format::Docx),
            ("ms-word", Format::Docx),
            ("presentationml", Format::Pptx),
            ("ms-powerpoint", Format::Pptx),
            ("spreadsheetml", Format::Xlsx),
            ("ms-excel", Format::Xlsx),
        ]
        .into_iter()
        .find_map(|(word, format)| kind.contains(word).then_some(format))
    }

    /// Returns the main part's name: from the package's relationships, else `usual`, else from the content types.
    pub(super) fn main(&mut self, usual: &str) -> Result<String, Refusal> {
        let named = self.related("").into_iter();
        let by_type = self.content_types().into_iter();
        named
            .filter(|related| related.kind == "officeDocument")
            .map(|related| related.name)
            .chain([usual.to_owned()])
            .chain(
                by_type
                    .filter(|(_, kind)| kind.ends_with(".main+xml"))
                    .map(|(name, _)| name),
            )
            .find(|name| self.has(name))
            .ok_or_else(|| "it has no main part".to_owned())
    }

    /// Returns the parts with a content type of their own, and these types.
    fn content_types(&mut self) -> Vec<(String, String)> {
        let Ok(types) = self.part("[content_types].xml") else {
            return Vec::new();
        };
        let mut named = Vec::new();
        let mut events = Events::of(&types);
        while let Some(tag) = events.next_tag() {
            if let (Some(name), Some(kind)) = (
                xml::attribute(&tag, "PartName"),
                xml::attribute(&tag, "ContentType"),
            ) {
                named.push((normal(&name), kind));
            }
        }
        named
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Returns a part's XML as text, up to a fault.
    pub(super) fn part(&mut self, name: &str) -> Result<String, String> {
        self.bytes(name).map(|data| xml::decode(&data))
    }

    /// Returns a part's bytes, up to a fault.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let index = *self.places.get(name).ok_or("it is missing")?;
        let part = self.archive.by_index(index).map_err(|e| e.to_string())?;
        let mut data = Vec::new();
        let read = part.take(LONGEST_PART).read_to_end(&mut data);
        match read {
            Err(error) if data.is_empty() => Err(error.to_string()),
            _ => Ok(data),
        }
    }

    /// Returns the targets of a part's relationships, in order. An empty name means the package.
    pub(super) fn related(&mut self, of: &str) -> Vec<Related> {
        let (folder, file) = of.rsplit_once('/').unwrap_or(("", of));
        let list = if folder.is_empty() {
            format!("_rels/{file}.rels")
        } else {
            format!("{folder}/_rels/{file}.rels")
        };
        let Ok(list) = self.part(&list) else {
            return Vec::new();
        };
        let mut related = Vec::new();
        let mut events = Events::of(&list);
        while let Some(tag) = events.next_tag() {
            let outside = xml::attribute(&tag, "TargetMode").is_some_and(|mode| mode == "External");
            if tag.local_name().as_ref() != "Relationship" || outside {
                continue;
            }
            if let (Some(kind), Some(id), Some(target)) = (
                xml::attribute(&tag, "Type"),
                xml::attribute(&tag, "Id"),
                xml::attribute(&tag, "Target"),
            ) {
                // A target is a URL: it may have an escape where the archive has the character.
                let mut name = resolve(folder, &target);
                if !self.has(&name) {
                    name = resolve(folder, &unescaped(&target));
                }
                related.push(Related {
                    kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                    id,
                    name,
                });
            }
        }
        related
    }
}

/// Replaces the escapes of a URL, such as `%20`.
fn unescaped(target: &str) -> String {
    let mut bytes = Vec::with_capacity(target.len());
    let mut rest = target.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let code = others
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|code| str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &others[2..] } else { others };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Resolves a target to a part name: relative to the folder of the part, or from the root.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let whole = match target.strip_prefix('/') {
        Some(from_root) => from_root.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut steps = Vec::new();
    for step in whole.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    normal(&steps.join("/"))
}

fn normal(name: &str) -> String {
    name.replace('\\', "/")
        .trim_start_matches('/')
        .to_lowercase()
}
