//! Tests of the HTTP client for sources, with real servers on loopback that behave like sources.

mod calls;
mod compressed;
mod credentials;
mod graphql;
mod oauth;
mod pages;
mod property;
mod shared;
pub(crate) mod source;
