//! The kit for a source's HTTP, against real servers on loopback that do what sources do.

mod calls;
mod credentials;
mod graphql;
mod oauth;
mod pages;
mod property;
mod shared;
mod source;
