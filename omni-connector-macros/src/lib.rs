//! The macros of omni-connector. Their documentation stands on their re-exports in that crate.
//!
//! The stages are folders: `parse` reads tokens with their spans, `valid` applies the rules, reports every violation
//! at once and yields types that only validated data has, `expand` writes what the runtime's traits need. The annotated
//! item is always emitted, errors or not, and function bodies are never parsed: a mistake in one is rustc's to report,
//! once.

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

/// On a connector's struct, and on its `impl` block.
#[proc_macro_attribute]
pub fn connector(keys: TokenStream, item: TokenStream) -> TokenStream {
    connector::connector(keys.into(), item.into()).into()
}

/// On the method that a run executes.
#[proc_macro_attribute]
pub fn sync(keys: TokenStream, item: TokenStream) -> TokenStream {
    listed::method_only("sync", &keys.into(), item.into()).into()
}

/// On a method that other systems call.
#[proc_macro_attribute]
pub fn webhook(keys: TokenStream, item: TokenStream) -> TokenStream {
    listed::method_only("webhook", &keys.into(), item.into()).into()
}

/// On a method that replaces one of the trait `Connector`.
#[proc_macro_attribute]
pub fn replaces(keys: TokenStream, item: TokenStream) -> TokenStream {
    listed::method_only("replaces", &keys.into(), item.into()).into()
}

/// On an argument of an action, where the macro of the action takes it away.
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

/// On an enum of the forms that a credential has.
#[proc_macro_derive(CredentialSet, attributes(auth_type, credential_set))]
pub fn credential_set(item: TokenStream) -> TokenStream {
    credential_set::credential_set(item.into()).into()
}

/// On the client of an API that functions take as an argument.
#[proc_macro_derive(FromCall, attributes(from_call))]
pub fn from_call(item: TokenStream) -> TokenStream {
    from_call::from_call(item.into()).into()
}

/// On a function that callers can ask for.
#[proc_macro_attribute]
pub fn action(keys: TokenStream, item: TokenStream) -> TokenStream {
    listed::action(keys.into(), item.into()).into()
}

/// On a function that reads the value of a search operator from an item.
#[proc_macro_attribute]
pub fn search_operator(keys: TokenStream, item: TokenStream) -> TokenStream {
    listed::search_operator(keys.into(), item.into()).into()
}
