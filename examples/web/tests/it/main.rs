//! The connector against a site that does what sites do.

mod crawl;
mod recorded;
mod site;
