//! The result of a check, for people.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::Check;

/// The result of a check.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The promise holds; describes what was tried.
    Passed(String),
    /// Nothing was tried, for this reason.
    LeftOut(String),
    /// The promise is broken.
    Failed(Failure),
}

impl Verdict {
    /// Returns whether the promise is broken.
    pub const fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed(tried) => write!(f, "ok: {tried}"),
            Self::LeftOut(reason) => write!(f, "left out: {reason}"),
            Self::Failed(failure) => write!(f, "{failure}"),
        }
    }
}

/// A broken promise.
#[derive(Debug, Clone)]
pub struct Failure {
    check: Option<Check>,
    what: String,
    facts: Vec<(&'static str, String)>,
    because: Option<String>,
    help: Option<String>,
    store: Option<PathBuf>,
    package: String,
    point: Option<String>,
}

impl Failure {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self {
            check: None,
            what: what.into(),
            facts: Vec::new(),
            because: None,
            help: None,
            store: None,
            package: String::new(),
            point: None,
        }
    }

    pub(super) fn fact(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.facts.push((label, text.into()));
        self
    }

    pub(super) fn because(mut self, cause: impl Into<String>) -> Self {
        self.because = Some(cause.into());
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn store(mut self, store: Option<PathBuf>) -> Self {
        self.store = store;
        self
    }

    /// Adds the only boundary to try when the test is repeated.
    pub(super) fn point(mut self, point: impl Into<String>) -> Self {
        self.point = Some(point.into());
        self
    }

    pub(super) fn named(mut self, check: Check, package: &str) -> Self {
        self.check = Some(check);
        package.clone_into(&mut self.package);
        self
    }

    /// Returns the folder with the store of the failed run, if it is kept.
    pub fn kept_at(&self) -> Option<&Path> {
        self.store.as_deref()
    }

    /// Returns the problem as a sentence.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = self.check.map_or("check", Check::name);
        writeln!(f, "{check} … FAILED: {}", self.what)?;
        for (label, text) in &self.facts {
            writeln!(
                f,
                "  {label:<11} {}",
                text.replace('\n', "\n              ")
            )?;
        }
        if let Some(because) = &self.because {
            writeln!(f, "  because     {because}")?;
        }
        if let Some(help) = &self.help {
            writeln!(f, "help: {help}")?;
        }
        let (package, point) = (&self.package, self.point.as_ref());
        let point = point.map(|point| format!("OMNI_TEST_POINT='{point}' "));
        let point = point.unwrap_or_default();
        write!(f, "repeat: {point}cargo test -p {package} {check}")?;
        if let Some(store) = &self.store {
            write!(
                f,
                "\nlook: cargo omni dev {package} --store {}",
                store.display()
            )?;
        }
        Ok(())
    }
}
