//! Generates the implementation that makes the client of an API an argument.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Generics, Ident, Path};

use super::scope;

pub(crate) fn client(ident: &Ident, generics: &Generics, runtime: &Path) -> TokenStream {
    let (_, type_generics, condition) = generics.split_for_impl();
    let parameters = &generics.params;
    // A type that is not a client is reported at its name.
    let client = quote_spanned!(ident.span()=> _omni::client::<Self>(call));
    let implementation = quote! {
        impl<C: _omni::Call, #parameters> _omni::FromCall<C> for #ident #type_generics #condition {
            fn from_call(call: &mut C) -> ::core::result::Result<Self, _omni::ActionError> {
                #client
            }
        }
    };
    scope(runtime, &implementation)
}
