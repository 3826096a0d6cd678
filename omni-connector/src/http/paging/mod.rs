//! Lists that come in pages: how the next page is asked for, and how the end is recognised. An end is proven, never assumed.

mod end;
mod incomplete;
mod kinds;
mod link;
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
