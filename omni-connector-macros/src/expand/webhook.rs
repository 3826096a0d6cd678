//! Generates the table entry of a webhook.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Converter, Thunk, connector_argument, supplied};
use crate::valid::Webhook;

pub(super) fn webhook(webhook: &Webhook) -> TokenStream {
    let ident = &webhook.function.signature.ident;
    let path = &webhook.path;
    let connector = connector_argument();
    let values = webhook.parameters.iter().map(supplied);
    let thunk = Thunk {
        function: &webhook.function,
        uses: [true, !webhook.parameters.is_empty()],
        open: quote!(),
        call: quote!(#connector.#ident(#(#values),*)),
        converter: Converter::named("webhook_answer"),
    };
    let kind = if webhook.names_a_source() {
        quote!(of_source)
    } else {
        quote!(plain)
    };
    quote!(_omni::WebhookFn::#kind(#path, #thunk))
}
