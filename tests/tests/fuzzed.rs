//! Runs the fuzz targets on a stable toolchain: with every seed, every earlier finding, and briefly
//! with random mutations.

use std::{
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use omni_connector_dev::testing::Random;
use omni_connector_tests::{fuzz, is_full};

/// A fuzz target and its name.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 9] = [
    ("sync_request", fuzz::sync_request),
    ("action_request", fuzz::action_request),
    ("manifest", fuzz::manifest),
    ("events", fuzz::events),
    ("timestamps", fuzz::timestamps),
    ("schema", fuzz::schema),
    ("content", fuzz::content),
    ("search", fuzz::search),
    ("extraction", fuzz::extraction),
];

/// The longest time for one input on a slow machine.
const LONGEST: Duration = Duration::from_mins(1);

/// Returns whether `target` keeps its promise for `data`. A thread that does not return in time counts as hanging.
fn keeps(name: &str, target: fn(&[u8]), data: &[u8]) -> bool {
    let (done, came_back) = mpsc::channel();
    let input = data.to_vec();
    thread::spawn(move || {
        let kept = std::panic::catch_unwind(|| target(&input)).is_ok();
        let _ = done.send(kept);
    });
    came_back.recv_timeout(LONGEST).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(data);
        panic!("`{name}` does not come back from {text:?}")
    })
}

/// Returns the files of a folder, sorted by name, or none if it is missing.
fn files(folder: &str, target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(folder)
        .join(target);
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

#[test]
fn every_seed_and_everything_found_keeps_the_promises() {
    for (name, target) in TARGETS {
        let (seeds, found) = (files("seeds", name), files("found", name));
        assert!(!seeds.is_empty(), "`{name}` has no seeds");
        for data in seeds.iter().chain(&found) {
            let text = String::from_utf8_lossy(data);
            assert!(
                keeps(name, target, data),
                "`{name}` breaks its promise for {text:?}"
            );
        }
        println!("{name}: {} seeds, {} found", seeds.len(), found.len());
    }
}

/// Changes `seed` in a few places, sometimes with a piece of another seed.
fn change(random: &mut Random, seed: &[u8], other: &[u8]) -> Vec<u8> {
    const WORDS: [&[u8]; 12] = [
        b"null",
        b"\\u0000",
        b"\"",
        b"{",
        b"[",
        b"]",
        b"-1",
        b"1e999",
        b"\xff",
        b"\xe2\x80\x8b",
        b"$ref",
        b"anyOf",
    ];
    let mut data = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(data.len() + 1);
        let until = (at + random.below(16)).min(data.len());
        let byte = u8::try_from(random.below(256)).unwrap_or_default();
        let piece = match random.below(5) {
            0 => Vec::new(),
            1 => vec![byte],
            2 => WORDS[random.below(WORDS.len())].to_vec(),
            3 => data[at..until].repeat(1 + random.below(8)),
            _ => {
                let from = random.below(other.len() + 1);
                other[from..(from + random.below(64)).min(other.len())].to_vec()
            }
        };
        data.splice(at..until, piece);
    }
    data
}

#[test]
fn random_mutations_of_seeds_keep_the_promises() {
    let mut random = Random::from_environment();
    let each = Duration::from_millis(if is_full() { 60_000 } else { 300 });
    for (name, target) in TARGETS {
        let seeds = files("seeds", name);
        let (begun, mut count) = (Instant::now(), 0_u64);
        while begun.elapsed() < each {
            let (seed, other) = (
                &seeds[random.below(seeds.len())],
                &seeds[random.below(seeds.len())],
            );
            let data = change(&mut random, seed, other);
            let text = String::from_utf8_lossy(&data);
            assert!(
                keeps(name, target, &data),
                "`{name}` breaks its promise for {text:?}"
            );
            count += 1;
        }
        println!("{name}: {count} inputs");
    }
}
