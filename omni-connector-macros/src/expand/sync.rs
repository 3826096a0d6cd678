//! From a sync to its entry in the table.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Path, ReturnType, Type, spanned::Spanned};

use super::{Thunk, connector_argument, supply, variants};
use crate::valid::Sync;

pub(super) fn sync(sync: &Sync, runtime: &Path) -> TokenStream {
    let signature = &sync.function.signature;
    let ident = &signature.ident;
    let modes = variants(runtime, "SyncType", &sync.modes);
    let source_types = variants(runtime, "SourceType", &sync.source_types);
    let needs = sync.parameters.iter().map(|supplied| {
        let ty = &supplied.ty;
        quote_spanned!(ty.span()=> #runtime::declare::needs_credentials::<Self, #ty>())
    });
    let connector = connector_argument();
    let values = sync.parameters.iter().map(|supplied| supply(&supplied.ty));
    let returned = match &signature.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => ident.span(),
    };
    let ended = quote_spanned!(returned=> #runtime::declare::ended);
    let run = Thunk {
        ident,
        uses: [true, !sync.parameters.is_empty()],
        body: quote!(#ended(Self::#ident(#connector, #(#values),*).await)),
    };
    quote! {
        #runtime::declare::Sync {
            modes: #modes,
            source_types: #source_types,
            needs_credentials: false #(|| #needs)*,
            run: #run,
        }
    }
}

/// A mode or type that a function is for, and the struct does not declare, is reported where it is named.
pub(super) fn checks(sync: &Sync, connector: &Type, runtime: &Path) -> TokenStream {
    let modes = sync.modes.iter().map(|mode| {
        quote_spanned! {mode.span()=>
            const _: () = #runtime::declare::assert_mode_declared::<#connector>(#runtime::SyncType::#mode);
        }
    });
    let types = sync.source_types.iter().map(|source_type| {
        quote_spanned! {source_type.span()=>
            const _: () =
                #runtime::declare::assert_type_declared::<#connector>(#runtime::SourceType::#source_type);
        }
    });
    quote!(#(#modes)* #(#types)*)
}

/// In place of a sync that was refused, so that the struct has nothing to report.
pub(super) fn unfinished(runtime: &Path) -> TokenStream {
    quote! {
        #runtime::declare::Sync {
            modes: &[],
            source_types: &[],
            needs_credentials: false,
            run: |_, _| ::core::unreachable!(),
        }
    }
}
