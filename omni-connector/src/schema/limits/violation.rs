//! What is wrong with a value, and where it stands. The value itself is never told.

use std::fmt;

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    path: String,
    problem: String,
    /// The value does not even have the shape; that is serde's to say.
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

/// The way to a value, put into words only when something is wrong there.
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
    pub(super) fn limit(&self, problem: impl Into<String>) -> Violation {
        Violation {
            path: self.to_string(),
            problem: problem.into(),
            is_shape: false,
        }
    }
}

impl Violation {
    pub(super) const ANOTHER_SHAPE: Self = Self {
        path: String::new(),
        problem: String::new(),
        is_shape: true,
    };
}
