//! The mails of a folder, grouped into threads. It takes few bytes a mail, since a folder can have a million.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use mail_parser::{HeaderValue, Message, MessageParser};

/// A mail in the list of a folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) uid: u32,
    pub(crate) size: u32,
    /// The hash of its message id; in [`Threads`], of its thread's root.
    id: u64,
}

/// The mails of a folder. Message ids are kept as hashes, and as text only if one can be the root of a thread.
#[derive(Debug, Default)]
pub(crate) struct List {
    rows: Vec<Row>,
    /// The mail that each answer belongs to, and whether that is the root of its thread.
    parents: HashMap<u64, (u64, bool)>,
    roots: Names,
    hasher: RandomState,
}

/// Texts by their hashes, in one string.
#[derive(Debug, Default)]
struct Names {
    text: String,
    places: HashMap<u64, (u32, u32)>,
}

impl Names {
    fn add(&mut self, hash: u64, name: &str) {
        let at = u32::try_from(self.text.len());
        if let (Ok(at), Ok(length)) = (at, u32::try_from(name.len())) {
            self.places.entry(hash).or_insert_with(|| {
                self.text.push_str(name);
                (at, length)
            });
        }
    }

    fn get(&self, hash: u64) -> Option<&str> {
        let (at, length) = *self.places.get(&hash)?;
        self.text.get(at as usize..(at + length) as usize)
    }
}

impl List {
    /// Adds a mail by its UID, its size and the header fields that make threads.
    pub(crate) fn add(&mut self, uid: u32, size: u32, header: &[u8], validity: u32) {
        let parsed = MessageParser::new().parse_headers(header);
        let name = parsed.as_ref().and_then(Message::message_id);
        let name = name.map_or_else(|| format!("uid-{validity}-{uid}"), str::to_owned);
        let id = self.hasher.hash_one(&name);
        let parent = parsed.as_ref().and_then(|mail| {
            let root = first(mail.references()).map(|root| (root, true));
            root.or_else(|| first(mail.in_reply_to()).map(|it| (it, false)))
        });
        match parent.filter(|(parent, _)| *parent != name) {
            Some((parent, is_root)) => {
                let above = self.hasher.hash_one(parent);
                self.roots.add(above, parent);
                self.parents.entry(id).or_insert((above, is_root));
            }
            None => self.roots.add(id, &name),
        }
        self.rows.push(Row { uid, size, id });
    }

    /// Removes mails that the server listed twice, and returns the number of mails.
    pub(crate) fn settle(&mut self) -> usize {
        self.rows.sort_unstable_by_key(|row| row.uid);
        self.rows.dedup_by_key(|row| row.uid);
        self.rows.len()
    }

    fn root(&self, id: u64) -> u64 {
        let mut root = id;
        // The limit ends a cycle of answers.
        for _ in 0..1_000 {
            match self.parents.get(&root) {
                Some((above, true)) => return *above,
                Some((above, false)) => root = *above,
                None => break,
            }
        }
        root
    }

    /// Groups the mails.
    pub(crate) fn threads(mut self) -> Threads {
        let mut rows = std::mem::take(&mut self.rows);
        let mut firsts = HashMap::new();
        for row in &mut rows {
            row.id = self.root(row.id);
            firsts.entry(row.id).or_insert(row.uid);
        }
        rows.sort_by_key(|row| (firsts[&row.id], row.uid));
        let roots = self.roots;
        Threads { rows, roots }
    }
}

/// The threads of a folder.
#[derive(Debug)]
pub(crate) struct Threads {
    /// The mails of a thread are consecutive, by their UIDs.
    rows: Vec<Row>,
    roots: Names,
}

impl Threads {
    /// Iterates over the threads, by the UID of the first mail of each: the message id of its root, and its mails.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (String, &[Row])> {
        let threads = self.rows.chunk_by(|one, other| one.id == other.id);
        threads.filter_map(|mails| {
            let root = self.roots.get(mails.first()?.id)?;
            Some((format!("<{root}>"), mails))
        })
    }
}

fn first<'a>(header: &'a HeaderValue<'_>) -> Option<&'a str> {
    match header {
        HeaderValue::Text(text) => Some(text),
        HeaderValue::TextList(texts) => texts.first().map(|it| &**it),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_belong_to_the_thread_of_their_root_even_in_a_cycle() {
        let mut list = List::default();
        for (uid, header) in [
            (
                2,
                "Message-ID: <b@x>\r\nIn-Reply-To: <a@x>\r\nReferences: <a@x>\r\n\r\n",
            ),
            (1, "Message-ID: <a@x>\r\n\r\n"),
            (3, "Message-ID: <c@x>\r\nIn-Reply-To: <b@x>\r\n\r\n"),
            (4, "Message-ID: <d@x>\r\nIn-Reply-To: <e@x>\r\n\r\n"),
            (5, "Message-ID: <e@x>\r\nIn-Reply-To: <d@x>\r\n\r\n"),
            (6, "\r\n"),
            (6, "\r\n"),
            (7, "Message-ID: <f@x>\r\nReferences: <gone@x> <b@x>\r\n\r\n"),
        ] {
            list.add(uid, 1, header.as_bytes(), 9);
        }
        assert_eq!(list.settle(), 7);
        let threads = list.threads();
        let found: HashMap<_, Vec<_>> = threads
            .iter()
            .map(|(root, mails)| (root, mails.iter().map(|row| row.uid).collect()))
            .collect();
        assert_eq!(found["<a@x>"], [1, 2, 3]);
        assert_eq!(found["<uid-9-6>"], [6]);
        assert_eq!(found["<gone@x>"], [7]);
        assert_eq!(found.values().map(Vec::len).sum::<usize>(), 7);
    }
}
