//! Two functions of one name are found while compiling, also across modules and lists.

use super::action::Action;
use crate::contract::Operator;

/// Fails to compile when a listed action has the name of a method or of one listed before it.
pub const fn assert_unique_action<K>(
    connector: &str,
    methods: &[Action<K>],
    listed: &[Action<K>],
    index: usize,
) {
    let name = listed[index].name;
    let mut i = 0;
    while i < methods.len() {
        refuse_equal("action", connector, methods[i].name, name);
        i += 1;
    }
    i = 0;
    while i < index {
        refuse_equal("action", connector, listed[i].name, name);
        i += 1;
    }
}

/// The same for search operators.
pub const fn assert_unique_operator(
    connector: &str,
    methods: &[Operator],
    listed: &[Operator],
    index: usize,
) {
    let name = listed[index].name;
    let mut i = 0;
    while i < methods.len() {
        refuse_equal("search operator", connector, methods[i].name, name);
        i += 1;
    }
    i = 0;
    while i < index {
        refuse_equal("search operator", connector, listed[i].name, name);
        i += 1;
    }
}

const fn refuse_equal(kind: &str, connector: &str, earlier: &str, name: &str) {
    if equal(earlier, name) {
        let message = Message::<512>::join(&[
            "two ",
            kind,
            "s of connector `",
            connector,
            "` are both named `",
            name,
            "`",
        ]);
        panic!("{}", message.as_str());
    }
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// A text put together while compiling, where `format!` does not exist.
struct Message<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Message<N> {
    const fn join(parts: &[&str]) -> Self {
        let mut message = Self {
            bytes: [0; N],
            len: 0,
        };
        let mut part = 0;
        while part < parts.len() {
            let text = parts[part].as_bytes();
            let mut i = 0;
            while i < text.len() && message.len < N {
                message.bytes[message.len] = text[i];
                message.len += 1;
                i += 1;
            }
            part += 1;
        }
        message
    }

    const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "two functions of one connector have the same name",
        }
    }
}
