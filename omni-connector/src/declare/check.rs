//! Compile-time checks across modules and lists, which the macros cannot make.

use super::annotated::Declared;
use crate::wire::{SourceType, SyncType};

/// Fails to compile when a listed action has the name of a method or of an earlier listed one.
pub const fn assert_unique_action<K: Declared>(index: usize) {
    let (methods, listed) = (K::TABLE.action_methods, K::LISTED_ACTIONS);
    let name = listed[index].name;
    let mut i = 0;
    while i < methods.len() + index {
        let earlier = if i < methods.len() {
            methods[i].name
        } else {
            listed[i - methods.len()].name
        };
        if equal(earlier, name) {
            refuse(&[
                "two actions of connector `",
                K::NAME,
                "` are both named `",
                name,
                "`\nhelp: rename one: `#[action(name = \"…\")]`",
            ]);
        }
        i += 1;
    }
}

/// Fails to compile when a listed operator has the name of another one but fills another attribute. Operators with the
/// same name that read different items into one attribute are one operator.
pub const fn assert_unique_operator<K: Declared>(index: usize) {
    let (methods, listed) = (K::TABLE.operator_methods, K::LISTED_OPERATORS);
    let operator = listed[index];
    let mut i = 0;
    while i < methods.len() + index {
        let earlier = if i < methods.len() {
            methods[i]
        } else {
            listed[i - methods.len()]
        };
        if equal(earlier.name, operator.name) && !equal(earlier.attribute, operator.attribute) {
            refuse(&[
                "two search operators of connector `",
                K::NAME,
                "` fill different attributes, and are both named `",
                operator.name,
                "`\nhelp: one operator matches one attribute: `attribute = \"",
                earlier.attribute,
                "\"`",
            ]);
        }
        i += 1;
    }
}

/// Fails to compile when a method also declares an MCP server.
pub const fn assert_one_mcp<K: Declared>() {
    if K::TABLE.mcp.is_some() {
        refuse(&[
            "connector `",
            K::NAME,
            "` names two MCP servers\nhelp: remove `mcp = …`, or the method with `#[mcp]`",
        ]);
    }
}

/// Fails to compile when a declared mode has no function.
pub const fn assert_synced<K: Declared>(mode: SyncType) {
    let syncs = K::TABLE.sync_methods;
    let mut t = 0;
    while t < K::SOURCE_TYPES.len() {
        let source_type = K::SOURCE_TYPES[t];
        let mut i = 0;
        let mut found = false;
        while i < syncs.len() {
            found |= syncs[i].fits(mode, source_type);
            i += 1;
        }
        if !found {
            refuse(&[
                "connector `",
                K::NAME,
                "` has no sync for mode `",
                mode.as_str(),
                "` of source type `",
                source_type.as_str(),
                "`\nhelp: put `#[sync]` on a method of the `#[connector] impl` block",
            ]);
        }
        t += 1;
    }
}

/// Fails to compile when a function is for a mode that the connector does not declare.
pub const fn assert_mode_declared<K: Declared>(mode: SyncType) {
    let mut i = 0;
    while i < K::SYNC_MODES.len() {
        if K::SYNC_MODES[i] as u8 == mode as u8 {
            return;
        }
        i += 1;
    }
    refuse(&[
        "connector `",
        K::NAME,
        "` does not declare sync mode `",
        mode.as_str(),
        "`\nhelp: add it to `sync_modes = […]` on the struct",
    ]);
}

/// Fails to compile when a function is for a source type that the connector does not declare.
pub const fn assert_type_declared<K: Declared>(source_type: SourceType) {
    let mut i = 0;
    while i < K::SOURCE_TYPES.len() {
        if K::SOURCE_TYPES[i] as u8 == source_type as u8 {
            return;
        }
        i += 1;
    }
    refuse(&[
        "connector `",
        K::NAME,
        "` does not serve source type `",
        source_type.as_str(),
        "`\nhelp: add it to `source_types = […]` on the struct",
    ]);
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

/// Aborts the compilation with this message. `format!` does not exist at compile time.
const fn refuse(parts: &[&str]) -> ! {
    let mut bytes = [0; 1024];
    let mut len = 0;
    let mut part = 0;
    while part < parts.len() {
        let text = parts[part].as_bytes();
        let mut i = 0;
        while i < text.len() && len < bytes.len() {
            bytes[len] = text[i];
            len += 1;
            i += 1;
        }
        part += 1;
    }
    match std::str::from_utf8(bytes.split_at(len).0) {
        Ok(message) => panic!("{}", message),
        Err(_) => panic!("two declarations of one connector contradict each other"),
    }
}
