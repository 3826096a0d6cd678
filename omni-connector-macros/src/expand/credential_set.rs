//! Generates the trait that decodes a credential set.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Generics, Ident, Path, spanned::Spanned};

use super::{bound_for_ever, scope};
use crate::valid::{CredentialSet, Form};

pub(crate) fn credential_set(valid: &CredentialSet, runtime: &Path) -> TokenStream {
    let ident = &valid.ident;
    let auth_types = valid.forms.iter().flat_map(|form| &form.auth_types);
    let forms = valid.forms.iter().map(|form| {
        let Form {
            variant,
            ty,
            auth_types,
        } = form;
        // A type that cannot be decoded is reported at the author's type.
        let secret = quote_spanned!(ty.span()=> _omni::credential_form::<#ty, D>(secret)?);
        quote!(#(#auth_types)|* => Self::#variant(#secret))
    });
    let deserialize = deserialize(ident, &Generics::default());
    let implementation = quote! {
        impl _omni::CredentialSet for #ident {
            const AUTH_TYPES: &'static [&'static str] = &[#(#auth_types),*];

            fn form<'de, D: _omni::Deserializer<'de>>(
                auth_type: &str,
                secret: D,
            ) -> ::core::result::Result<_omni::Option<Self>, D::Error> {
                let form = match auth_type {
                    #(#forms,)*
                    _ => return ::core::result::Result::Ok(_omni::None),
                };
                ::core::result::Result::Ok(_omni::Some(form))
            }
        }

        #deserialize
    };
    scope(runtime, &implementation)
}

/// Replaces [`credential_set`] after an error, so that rustc reports nothing about uses of the type.
pub(crate) fn unfinished_credential_set(
    ident: &Ident,
    generics: &Generics,
    runtime: &Path,
) -> TokenStream {
    let generics = bound_for_ever(generics);
    let (impl_generics, type_generics, condition) = generics.split_for_impl();
    let deserialize = deserialize(ident, &generics);
    let stub = quote! {
        impl #impl_generics _omni::CredentialSet for #ident #type_generics #condition {
            const AUTH_TYPES: &'static [&'static str] = &[];

            fn form<'de, D: _omni::Deserializer<'de>>(
                _: &str,
                _: D,
            ) -> ::core::result::Result<_omni::Option<Self>, D::Error> {
                ::core::unreachable!()
            }
        }

        #deserialize
    };
    scope(runtime, &stub)
}

fn deserialize(ident: &Ident, generics: &Generics) -> TokenStream {
    let (_, type_generics, condition) = generics.split_for_impl();
    let parameters = &generics.params;
    quote! {
        impl<'de, #parameters> _omni::Deserialize<'de> for #ident #type_generics #condition {
            fn deserialize<D: _omni::Deserializer<'de>>(
                row: D,
            ) -> ::core::result::Result<Self, D::Error> {
                _omni::credential_set(row)
            }
        }
    }
}
