//! Generates the table entry of a sync.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Type, spanned::Spanned};

use super::{Converter, Thunk, conditional, connector_argument, is_one_of, supplied, variants};
use crate::valid::{Supplied, Sync};

/// The types of arguments that never need credentials.
const WITHOUT_CREDENTIALS: [&str; 7] = [
    "Checkpoint",
    "Config",
    "ManagerClient",
    "Source",
    "SourceType",
    "SyncContext",
    "SyncType",
];

pub(super) fn sync(sync: &Sync) -> TokenStream {
    let ident = &sync.function.signature.ident;
    let connector = connector_argument();
    let values = sync.parameters.iter().map(supplied);
    let run = Thunk {
        function: &sync.function,
        uses: [true, !sync.parameters.is_empty()],
        open: quote!(),
        call: quote!(#connector.#ident(#(#values),*)),
        converter: Converter::named("sync_answer"),
    };
    let readers = sync.parameters.iter();
    let readers = readers.filter(|parameter| !is_one_of(&WITHOUT_CREDENTIALS, &parameter.ty));
    let needs = readers.map(|parameter| {
        let Supplied { ty, conditions } = parameter;
        let needs = quote_spanned!(ty.span()=> _omni::needs_credentials::<Self, #ty>());
        let needs = conditional(conditions, &needs, &quote!(false));
        quote!(.credentials(#needs))
    });
    let modes = (!sync.modes.is_empty()).then(|| {
        let modes = variants("SyncType", &sync.modes);
        quote!(.modes(#modes))
    });
    let source_types = (!sync.source_types.is_empty()).then(|| {
        let source_types = variants("SourceType", &sync.source_types);
        quote!(.source_types(#source_types))
    });
    quote!(_omni::Sync::new(#run) #(#needs)* #modes #source_types)
}

/// Generates checks of modes and source types. One that the struct does not declare is reported at its name.
pub(super) fn checks(sync: &Sync, connector: &Type) -> TokenStream {
    let conditions = sync.function.conditions();
    let modes = sync.modes.iter().map(|mode| {
        quote_spanned! {mode.span()=>
            #(#conditions)*
            const _: () = _omni::assert_mode_declared::<#connector>(_omni::SyncType::#mode);
        }
    });
    let types = sync.source_types.iter().map(|source_type| {
        quote_spanned! {source_type.span()=>
            #(#conditions)*
            const _: () = _omni::assert_type_declared::<#connector>(_omni::SourceType::#source_type);
        }
    });
    quote!(#(#modes)* #(#types)*)
}

/// Replaces a sync after an error, so that rustc reports nothing about the struct.
pub(super) fn unfinished() -> TokenStream {
    quote!(_omni::Sync::new(|_, _| ::core::unreachable!()))
}
