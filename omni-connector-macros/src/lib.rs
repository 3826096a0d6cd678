//! The macros of omni-connector. Their documentation is on their re-exports in that crate.
//!
//! The stages are folders. `parse` parses tokens and keeps their spans. `valid` applies the rules, reports all
//! violations at once, and yields types that only validated data has. `expand` generates the implementations of the
//! runtime's traits.
//!
//! The annotated item is always emitted, with errors or without. Function bodies are never parsed, so rustc reports a
//! mistake in one, once.

mod connector;
mod credential_set;
mod diagnostics;
mod expand;
mod from_call;
#[cfg(test)]
mod golden;
#[macro_use]
mod hooks;
mod listed;
mod methods;
mod parse;
mod valid;

use proc_macro::TokenStream;

/// Annotates a connector's struct and its `impl` block.
#[proc_macro_attribute]
pub fn connector(keys: TokenStream, item: TokenStream) -> TokenStream {
    connector::connector(keys.into(), item.into()).into()
}

/// Annotates the method that a run executes.
#[proc_macro_attribute]
pub fn sync(keys: TokenStream, item: TokenStream) -> TokenStream {
    listed::method_only("sync", &keys.into(), item.into()).into()
}

/// Annotates a method that other systems call.
#[proc_macro_attribute]
pub fn webhook(keys: TokenStream, item: TokenStream) -> TokenStream {
    listed::method_only("webhook", &keys.into(), item.into()).into()
}

/// On a method that replaces one of the trait `Connector`.
#[proc_macro_attribute]
pub fn replaces(keys: TokenStream, item: TokenStream) -> TokenStream {
    listed::method_only("replaces", &keys.into(), item.into()).into()
}

/// Annotates an argument of an action. The action's macro removes it.
#[proc_macro_attribute]
pub fn arg(_: TokenStream, item: TokenStream) -> TokenStream {
    listed::on_an_item(item.into()).into()
}

macro_rules! entry_points {
    ($($marker:ident $noun:literal $mode:tt, $takes:tt;)*) => {
        $(
            #[doc = concat!("On the ", $noun, " of a connector.")]
            #[proc_macro_attribute]
            pub fn $marker(keys: TokenStream, item: TokenStream) -> TokenStream {
                listed::method_only(stringify!($marker), &keys.into(), item.into()).into()
            }
        )*
    };
}

hooks!(entry_points);

/// Annotates an enum of the forms of a credential.
#[proc_macro_derive(CredentialSet, attributes(auth_type, credential_set))]
pub fn credential_set(item: TokenStream) -> TokenStream {
    credential_set::credential_set(item.into()).into()
}

/// Annotates the client of an API, so that functions can take it as an argument.
#[proc_macro_derive(FromCall, attributes(from_call))]
pub fn from_call(item: TokenStream) -> TokenStream {
    from_call::from_call(item.into()).into()
}

/// Annotates a function that callers can invoke.
#[proc_macro_attribute]
pub fn action(keys: TokenStream, item: TokenStream) -> TokenStream {
    listed::action(keys.into(), item.into()).into()
}

/// Annotates a function that reads the value of a search operator from an item.
#[proc_macro_attribute]
pub fn search_operator(keys: TokenStream, item: TokenStream) -> TokenStream {
    listed::search_operator(keys.into(), item.into()).into()
}
