//! From a webhook to its entry in the table.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Thunk, connector_argument, supply, under};
use crate::valid::Webhook;

/// The constant that holds them; nothing where there is none.
pub(super) fn webhooks(webhooks: &[Webhook]) -> Option<TokenStream> {
    let entries = webhooks
        .iter()
        .map(|webhook| under(&webhook.function.conditions(), entry(webhook)));
    (!webhooks.is_empty()).then(|| {
        quote! {
            const WEBHOOKS: &'static [_omni::WebhookFn<Self>] = &[#(#entries),*];
        }
    })
}

fn entry(webhook: &Webhook) -> TokenStream {
    let ident = &webhook.function.signature.ident;
    let path = &webhook.path;
    let connector = connector_argument();
    let values = webhook
        .parameters
        .iter()
        .map(|supplied| supply(&supplied.ty));
    let thunk = Thunk {
        function: &webhook.function,
        uses: [true, !webhook.parameters.is_empty()],
        open: quote!(),
        call: quote!(Self::#ident(#connector, #(#values),*)),
        reader: "asked_for",
    };
    let kind = if webhook.names_a_source() {
        quote!(OfSource)
    } else {
        quote!(Plain)
    };
    quote! {
        _omni::WebhookFn {
            path: #path,
            call: _omni::WebhookThunk::#kind(#thunk),
        }
    }
}
