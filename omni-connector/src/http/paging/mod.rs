//! Paged lists: how to request the next page and how to recognise the end. The end is proven, never assumed.

mod end;
mod incomplete;
mod kinds;
mod page;
mod progress;
mod serve;
mod walk;

pub use end::Unended;
pub use incomplete::Incomplete;
pub use kinds::{Next, Paging, Position};
pub use page::{Odd, Page, ResumePoint};
pub use serve::ServedPage;
pub use walk::{Pages, Walk};
