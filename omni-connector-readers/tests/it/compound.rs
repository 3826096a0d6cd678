//! Writes compound files, the container of old workbooks and of Outlook's messages.

const SECTOR: usize = 512;
const SHORT_SECTOR: usize = 64;
/// A shorter stream is in short sectors.
const SHORT: usize = 4096;
const END: u32 = 0xffff_fffe;
const NONE: u32 = 0xffff_ffff;

struct Entry {
    path: String,
    kind: u8,
    start: u32,
    length: usize,
}

/// Sectors and their table.
#[derive(Default)]
struct Sectors {
    data: Vec<u8>,
    table: Vec<u32>,
}

impl Sectors {
    fn add(&mut self, data: &[u8], size: usize) -> u32 {
        let first = u32::try_from(self.table.len()).unwrap();
        let count = u32::try_from(data.len().div_ceil(size)).unwrap();
        if count == 0 {
            return END;
        }
        self.table.extend((first + 1..first + count).chain([END]));
        self.data.extend(data);
        self.data.resize(self.data.len().next_multiple_of(size), 0);
        first
    }
}

/// Returns a file with these streams. `/` separates a folder from what it holds.
pub(super) fn compound(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut entries = vec![Entry {
        path: String::new(),
        kind: 5,
        start: END,
        length: 0,
    }];
    let (mut long, mut short) = (Sectors::default(), Sectors::default());
    for (path, data) in streams {
        for (at, _) in path.match_indices('/') {
            if entries.iter().all(|entry| entry.path != path[..at]) {
                entries.push(Entry {
                    path: path[..at].to_owned(),
                    kind: 1,
                    start: 0,
                    length: 0,
                });
            }
        }
        let start = if data.len() < SHORT {
            short.add(data, SHORT_SECTOR)
        } else {
            long.add(data, SECTOR)
        };
        entries.push(Entry {
            path: (*path).to_owned(),
            kind: 2,
            start,
            length: data.len(),
        });
    }
    entries[0].length = short.data.len();
    entries[0].start = long.add(&short.data, SECTOR);
    let mut short_table: Vec<u8> = short
        .table
        .iter()
        .flat_map(|next| next.to_le_bytes())
        .collect();
    short_table.resize(short_table.len().next_multiple_of(SECTOR), 0xff);
    let short_tables = short_table.len() / SECTOR;
    let short_table = long.add(&short_table, SECTOR);
    let directory = long.add(&directory(&entries), SECTOR);

    let table_start = long.table.len();
    let tables = (1..100)
        .find(|tables| (table_start + tables) * 4 <= tables * SECTOR)
        .unwrap();
    long.table.extend(vec![0xffff_fffd; tables]);
    let mut file = vec![0; SECTOR];
    file[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    file[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    file[76..].fill(0xff);
    let number = |number: usize| u32::try_from(number).unwrap();
    let fields = [
        (44, number(tables)),
        (48, directory),
        (56, number(SHORT)),
        (60, short_table),
        (64, number(short_tables)),
        (68, END),
    ];
    let places = (0..tables).map(|table| (76 + 4 * table, number(table_start + table)));
    for (at, value) in fields.into_iter().chain(places) {
        file[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    file.extend(long.data);
    file.extend(long.table.iter().flat_map(|next| next.to_le_bytes()));
    file.resize(file.len().next_multiple_of(SECTOR), 0xff);
    file
}

/// Writes the entries. What a folder holds is a chain of right neighbours.
fn directory(entries: &[Entry]) -> Vec<u8> {
    let folder = |path: &str| {
        path.rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned()
    };
    let find = |wanted: &dyn Fn(usize, &Entry) -> bool| {
        let found = entries
            .iter()
            .enumerate()
            .position(|(index, entry)| index > 0 && wanted(index, entry));
        found.map_or(NONE, |index| u32::try_from(index).unwrap())
    };
    let mut written = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let name = match entry.path.rsplit('/').next() {
            _ if index == 0 => "Root Entry",
            name => name.unwrap_or_default(),
        };
        let mut bytes = [0; 128];
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes[..name.len()].copy_from_slice(&name);
        bytes[64] = u8::try_from(name.len()).unwrap() + 2;
        bytes[66] = entry.kind;
        bytes[67] = 1;
        let next = if index == 0 {
            NONE
        } else {
            find(&|other, at| other > index && folder(&at.path) == folder(&entry.path))
        };
        let child = if entry.kind == 2 {
            NONE
        } else {
            find(&|_, at| folder(&at.path) == entry.path)
        };
        for (at, value) in [
            (68, NONE),
            (72, next),
            (76, child),
            (116, entry.start),
            (120, u32::try_from(entry.length).unwrap()),
        ] {
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        written.extend(bytes);
    }
    written
}
