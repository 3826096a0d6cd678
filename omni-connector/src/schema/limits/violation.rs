//! A violated limit and its path. Never contains the value.

use std::fmt;

/// A violated limit, with its path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    path: String,
    pub(super) problem: String,
    /// Whether the value has the wrong shape, which serde reports instead.
    pub(super) is_shape: bool,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "it {}", self.problem),
            path => write!(f, "`{path}` {}", self.problem),
        }
    }
}

/// The path to a value, formatted only when an error needs it.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Path<'_> {
    /// Returns the path as a JSON pointer (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Field(parent, name) => {
                let name = name.replace('~', "~0").replace('/', "~1");
                format!("{}/{name}", parent.pointer())
            }
            Self::Item(parent, index) => format!("{}/{index}", parent.pointer()),
        }
    }

    pub(super) fn limit(&self, problem: impl Into<String>) -> Violation {
        Violation {
            path: self.to_string(),
            problem: problem.into(),
            is_shape: false,
        }
    }

    pub(super) fn another_shape(&self) -> Violation {
        Violation {
            path: self.to_string(),
            problem: "is of another type, or none of the values that are listed".to_owned(),
            is_shape: true,
        }
    }
}
