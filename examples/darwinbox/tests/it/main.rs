//! The connector against a fake of Darwinbox and the real development manager.

mod actions;
mod credentials;
mod fake;
mod gates;
mod kill;
mod lists;
mod people;
mod recorded;
mod support;
mod unreadable;
mod writes;
