//! Reproducible pseudo-random numbers.

/// `SplitMix64`.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Creates a generator with a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Uses the seed in `OMNI_TEST_SEED`, or a new one. Prints it, so that a failure can be
    /// replayed.
    pub fn from_environment() -> Self {
        let given = std::env::var("OMNI_TEST_SEED").ok();
        let seed = given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
            u64::from(now.subsec_nanos()) ^ (now.as_secs() << 20)
        });
        println!("OMNI_TEST_SEED={seed}");
        Self(seed)
    }

    /// Returns the next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.draw() % end as u64).unwrap_or(0)
    }

    /// Removes items until at most this many are left; none with `OMNI_TEST_FULL=1`.
    pub(super) fn leave<T>(&mut self, most: usize, items: &mut Vec<T>) {
        while items.len() > most && std::env::var("OMNI_TEST_FULL").is_err() {
            items.swap_remove(self.below(items.len()));
        }
    }
}
