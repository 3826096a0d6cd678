//! A listed operator whose return type is not an attribute value.

use omni_connector::prelude::*;

struct Issue;

struct Project;

/// `project:ops` finds the issues of one project.
#[search_operator]
fn project(_: &Issue) -> Project {
    Project
}

#[connector(name = "github", source_types = [Github], search_operators = [project])]
struct Github;

#[connector]
impl Github {
    #[sync]
    async fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
