//! A folder with files.

use omni_connector_dev::testing::FakeItems;

/// How many files there are.
pub const FILES: usize = 14;

/// Makes the folder. The checks add, change and delete files in it.
pub fn start() -> FakeItems {
    let about = |number| {
        let folder = if number % 2 == 0 { "ops" } else { "ops/rooms" };
        let text = format!("What is to be known of number {number}.");
        (format!("{folder}/{number:02}.md"), text)
    };
    let first = ("readme.txt".to_owned(), "Begin here.".to_owned());
    FakeItems::folder((1..FILES).map(about).chain([first]))
}
