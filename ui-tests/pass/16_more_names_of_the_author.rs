//! Modules, traits, macros, methods and parameters of the author may have names that generated code uses. Deprecated items
//! warn where they are used, and not in generated code.

#![deny(warnings, deprecated, unused_qualifications, unused_imports)]
#![allow(dead_code, unused_macros, non_camel_case_types, reason = "the names are what matters")]

use omni_connector::prelude::*;

mod core {}
mod std {}
mod alloc {}
mod serde {}
mod serde_json {}
mod schemars {}
mod anyhow {}
mod async_trait {}
mod futures {}

trait Send {}
trait Sync {}
trait Future {}
trait From {}
trait Into {}
trait Default {}
trait Iterator {}
trait ToString {}
trait Fn {}
trait FnOnce {}
trait Any {}

struct Arc;
struct Rc;
struct Cow;
struct PhantomData;
struct Duration;
struct Context;
struct Map;
struct Connector;
struct AnyConnector;
struct Action;
struct Operator;
struct Methods;
struct Declared;
struct str_;

macro_rules! vec { () => {}; }
macro_rules! format { () => {}; }
macro_rules! matches { () => {}; }
macro_rules! concat { () => {}; }
macro_rules! stringify { () => {}; }
macro_rules! panic { () => {}; }
macro_rules! unreachable { () => {}; }
macro_rules! env { () => {}; }
macro_rules! assert { () => {}; }
macro_rules! result_schema { () => {}; }

fn drop() {}
fn pending() {}
fn action_answer() {}
fn table_of() {}

/// Notes that nobody should use any more.
#[deprecated]
#[connector(name = "notes", source_types = [Notion], search_operators = [by_length])]
struct Notes;

#[connector]
#[allow(deprecated, reason = "the author's own use of it")]
impl Notes {
    #[deprecated]
    #[sync]
    async fn sync(&self, _ctx: SyncContext) -> Result<()> {
        Ok(())
    }

    #[deprecated]
    #[validate]
    async fn validate(&self, _source: Source) -> Result<()> {
        Ok(())
    }

    /// Methods of the runtime's traits have these names.
    #[action(read)]
    async fn name(
        &self,
        /// A number
        #[arg]
        connector: u8,
        /// A number
        #[arg]
        call: u8,
        /// A number
        #[arg]
        input: u8,
    ) -> Result<u8> {
        Ok(connector + call + input)
    }

    /// The version.
    #[action(read)]
    async fn version(
        &self,
        /// A number
        #[arg]
        ctx: u8,
        /// A number
        #[arg]
        value: u8,
        /// A number
        #[arg]
        r#type: u8,
    ) -> Result<u8> {
        Ok(ctx + value + r#type)
    }

    /// The actions.
    #[action(read)]
    async fn actions(
        &self,
        /// A number
        #[arg]
        returned: u8,
        /// A number
        #[arg]
        item: u8,
        /// A number
        #[arg]
        future: u8,
    ) -> Result<u8> {
        Ok(returned + item + future)
    }

    /// The webhooks.
    #[deprecated]
    #[webhook(path = "/hooks/notes")]
    async fn webhooks(&self, request: WebhookRequest) -> Result<Webhook> {
        let _ = request;
        Ok(Webhook::ignore())
    }
}

#[deprecated]
#[search_operator]
fn by_length(item: &u64) -> i64 {
    i64::try_from(*item).unwrap_or_default()
}

#[allow(deprecated, reason = "the author's own use of it")]
fn main() {
    let names: ::std::vec::Vec<_> = <Notes as omni_connector::Connector>::actions(&Notes)
        .into_iter()
        .map(|action| action.name)
        .collect();
    ::std::assert_eq!(names, ["name", "version", "actions"]);
}
