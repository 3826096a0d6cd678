//! Finds streams and folders in a compound file, the container of old office files and of Outlook's messages. It must not
//! loop on a chain that comes back to itself.

use std::{collections::HashSet, ops::Range};

/// Streams shorter than this are in the short sectors of another stream.
const SHORT: usize = 4096;
const SHORT_SECTOR: usize = 64;
/// Length of an entry of the directory.
const ENTRY: usize = 128;

/// The folders and streams of a compound file.
pub(super) struct Container<'a> {
    file: File<'a>,
    entries: Vec<&'a [u8; ENTRY]>,
}

/// A folder or a stream in another folder.
pub(super) struct Inner {
    pub(super) name: String,
    /// Its number, for the functions of the container.
    pub(super) entry: usize,
}

impl<'a> Container<'a> {
    /// The number of the outermost folder.
    pub(super) const ROOT: usize = 0;

    pub(super) fn open(data: &'a [u8]) -> Option<Self> {
        let file = File::of(data)?;
        let directory = file.chain(file.number(48)?);
        let sectors = directory.into_iter();
        let entries: Vec<_> = sectors
            .flat_map(|sector| data[sector].as_chunks::<ENTRY>().0)
            .collect();
        (!entries.is_empty()).then_some(Self { file, entries })
    }

    /// Returns what a folder holds, in the order of the names.
    pub(super) fn entries(&self, folder: usize) -> Vec<Inner> {
        let field = |entry: usize, at| {
            let entry = self.entries.get(entry)?;
            Some(number(*entry, at)? as usize)
        };
        let mut open: Vec<usize> = field(folder, 76).into_iter().collect();
        let (mut seen, mut inner) = (HashSet::new(), Vec::new());
        while let Some(entry) = open.pop() {
            let Some(found) = self.entries.get(entry) else {
                continue;
            };
            if !seen.insert(entry) {
                continue;
            }
            let name = name_of(*found);
            inner.push(Inner { name, entry });
            // Its neighbours.
            open.extend([field(entry, 68), field(entry, 72)].into_iter().flatten());
        }
        inner.sort_by(|a, b| a.name.cmp(&b.name));
        inner
    }

    /// Returns the bytes of a stream.
    pub(super) fn bytes(&self, entry: usize) -> Vec<u8> {
        let pieces = self.entries.get(entry).and_then(|stream| {
            let root = *self.entries.first()?;
            self.file.pieces(root, *stream)
        });
        let pieces = pieces.unwrap_or_default().into_iter();
        pieces
            .flat_map(|piece| &self.file.data[piece])
            .copied()
            .collect()
    }
}

/// Returns where the first stream with one of these names is in the file, piece by piece.
pub(super) fn stream(data: &[u8], names: &[&str]) -> Option<Vec<Range<usize>>> {
    let Container { file, entries } = Container::open(data)?;
    let called = |name: &str| {
        let mut entries = entries.iter();
        entries.find(|entry| name_of(**entry).eq_ignore_ascii_case(name))
    };
    let entry = names.iter().find_map(|name| called(name))?;
    file.pieces(entries[0], *entry)
}

fn number(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// Returns the name of an entry, of which only ASCII matters.
fn name_of(entry: &[u8]) -> String {
    let (letters, _) = entry[..64].as_chunks::<2>();
    let letters = letters.iter().map(|letter| u16::from_le_bytes(*letter));
    let letters = letters.take_while(|letter| *letter != 0);
    char::decode_utf16(letters)
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Cuts pieces off behind `length` bytes.
fn first_bytes(pieces: Vec<Range<usize>>, length: usize) -> Vec<Range<usize>> {
    let mut left = length;
    let mut kept = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let taken = piece.len().min(left);
        left -= taken;
        if taken > 0 {
            kept.push(piece.start..piece.start + taken);
        }
    }
    kept
}

struct File<'a> {
    data: &'a [u8],
    sector: usize,
    /// The sectors that list the next sector of each sector.
    tables: Vec<u32>,
}

impl<'a> File<'a> {
    fn of(data: &'a [u8]) -> Option<Self> {
        let shift = u16::from_le_bytes(data.get(30..32)?.try_into().ok()?);
        if !matches!(shift, 9 | 12) {
            return None;
        }
        let mut file = Self {
            data,
            sector: 1 << shift,
            tables: Vec::new(),
        };
        file.tables = (0..109)
            .filter_map(|index| file.number(76 + 4 * index))
            .collect();
        // Large files have more of them, in a chain of its own: the last number of a sector is the next sector.
        let mut next = file.number(68)?;
        for _ in 0..=file.most() {
            let Some(sector) = file.range(next) else {
                break;
            };
            let (numbers, _) = data[sector].as_chunks::<4>();
            let (last, numbers) = numbers.split_last()?;
            let numbers = numbers.iter().map(|bytes| u32::from_le_bytes(*bytes));
            file.tables.extend(numbers);
            next = u32::from_le_bytes(*last);
        }
        Some(file)
    }

    fn number(&self, at: usize) -> Option<u32> {
        number(self.data, at)
    }

    /// Returns the number of sectors of the file.
    fn most(&self) -> usize {
        self.data.len() / self.sector
    }

    /// Returns where a sector is. The last one may be cut.
    fn range(&self, sector: u32) -> Option<Range<usize>> {
        let start = (sector as usize).checked_add(1)?.checked_mul(self.sector)?;
        let end = (start + self.sector).min(self.data.len());
        (start < end).then_some(start..end)
    }

    fn next(&self, sector: u32) -> Option<u32> {
        let each = self.sector / 4;
        let table = *self.tables.get(sector as usize / each)?;
        self.number(self.range(table)?.start + 4 * (sector as usize % each))
    }

    fn chain(&self, first: u32) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let mut sector = Some(first);
        while let Some(range) = sector.and_then(|sector| self.range(sector)) {
            if pieces.len() > self.most() {
                break;
            }
            pieces.push(range);
            sector = sector.and_then(|sector| self.next(sector));
        }
        pieces
    }

    /// Returns where the stream of an entry is.
    fn pieces(&self, root: &[u8], entry: &[u8]) -> Option<Vec<Range<usize>>> {
        let (start, length) = (number(entry, 116)?, number(entry, 120)? as usize);
        let pieces = if length < SHORT {
            self.short_chain(number(root, 116)?, start)?
        } else {
            self.chain(start)
        };
        Some(first_bytes(pieces, length))
    }

    /// Follows a chain of short sectors, which are in the stream that begins at `holder`.
    fn short_chain(&self, holder: u32, first: u32) -> Option<Vec<Range<usize>>> {
        let (holder, table) = (self.chain(holder), self.chain(self.number(60)?));
        let place = |sectors: &[Range<usize>], at: usize| {
            let sector = sectors.get(at / self.sector)?;
            Some(sector.start + at % self.sector)
        };
        let mut pieces = Vec::new();
        let mut sector = first as usize;
        while pieces.len() < SHORT / SHORT_SECTOR {
            let Some(start) = place(&holder, sector.saturating_mul(SHORT_SECTOR)) else {
                break;
            };
            pieces.push(start..(start + SHORT_SECTOR).min(self.data.len()));
            let next = place(&table, sector.saturating_mul(4)).and_then(|at| self.number(at));
            let Some(next) = next else {
                break;
            };
            sector = next as usize;
        }
        Some(pieces)
    }
}
