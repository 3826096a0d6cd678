//! Generates `impl Declared`, with the keys of `#[connector(…)]` on a struct.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Generics, Path, spanned::Spanned};

use super::{bound_for_ever, optional, scope, variants};
use crate::valid::{Connector, Constant, Skill, SkillText};

/// Generates `impl Declared` with what the author declared, and nothing else.
pub(crate) fn connector(valid: &Connector, runtime: &Path) -> TokenStream {
    let Connector { ident, name, .. } = valid;
    let types = types(valid);
    let version = match &valid.version {
        Some(version) => quote!(#version),
        None => quote!(::core::env!("CARGO_PKG_VERSION")),
    };
    let description = valid
        .description
        .as_ref()
        .map(|text| quote!(const DESCRIPTION: _omni::Option<&'static str> = _omni::Some(#text);));
    let source_types = variants("SourceType", &valid.source_types);
    let modes = modes(valid);
    let listed = listed(valid);
    let skills = skills(&valid.skills);
    let extra = valid.extra.as_ref().map(|ty| {
        let schema = quote_spanned!(ty.span()=> _omni::input_schema::<#ty>);
        quote!(const EXTRA: _omni::Option<_omni::SchemaFn> = _omni::Some(#schema);)
    });
    let types_of = [
        ("CONFIG_SCHEMA", &valid.config),
        ("CREDENTIALS_SCHEMA", &valid.credentials),
        ("STATE_SCHEMA", &valid.state),
    ];
    let schemas = types_of.into_iter().filter_map(|(name, ty)| {
        let (name, ty) = (format_ident!("{name}"), ty.as_ref()?);
        Some(quote! {
            const #name: _omni::Option<_omni::SchemaFn> = _omni::type_schema!(#ty);
        })
    });
    let constants = valid.constants.iter().map(|(key, value)| {
        let name = format_ident!("{}", key.to_uppercase());
        match value {
            Constant::Text(text) => {
                quote!(const #name: _omni::Option<&'static str> = _omni::Some(#text);)
            }
            Constant::Flag => quote!(const #name: bool = true;),
        }
    });
    let mcp = valid.mcp.as_ref().map(|server| {
        let server =
            quote_spanned!(server.span()=> _omni::hook_answer::<_omni::McpAnswer>(#server));
        quote! {
            fn mcp(&self) -> _omni::Option<_omni::McpServer> {
                #server
            }
        }
    });
    // Without a block, or with several, the error is at the struct's name.
    let table = quote_spanned!(ident.span()=> _omni::table_of::<#ident, _>);
    let checks = checks(valid);
    let implementation = quote! {
        impl _omni::Declared for #ident {
            #types
            const TABLE: _omni::Table<Self> = #table(|| loop {});
            const NAME: &'static str = #name;
            const VERSION: &'static str = #version;
            #(#constants)*
            #description
            const SOURCE_TYPES: &'static [_omni::SourceType] = #source_types;
            #modes
            #listed
            #skills
            #extra
            #(#schemas)*
            #mcp
        }

        #checks
    };
    scope(runtime, &implementation)
}

/// Replaces [`connector`] after an error, so that rustc reports nothing about the struct's block.
pub(crate) fn unfinished_connector(
    valid: &Connector,
    generics: &Generics,
    runtime: &Path,
) -> TokenStream {
    let ident = &valid.ident;
    let types = types(valid);
    // A connector cannot be generic. Report only that, and no errors that follow from it.
    let generics = bound_for_ever(generics);
    let (impl_generics, type_generics, condition) = generics.split_for_impl();
    let stub = quote! {
        #[_omni::async_trait]
        impl #impl_generics _omni::Connector for #ident #type_generics #condition {
            #types

            fn name(&self) -> &'static str {
                ::core::unreachable!()
            }

            fn version(&self) -> &'static str {
                ::core::unreachable!()
            }

            fn source_types(&self) -> _omni::Vec<_omni::SourceType> {
                ::core::unreachable!()
            }

            async fn sync(
                &self,
                _: _omni::Source,
                _: _omni::Option<_omni::ServiceCredential>,
                _: _omni::Option<Self::State>,
                _: _omni::SyncContext,
            ) -> _omni::Result<()> {
                ::core::unreachable!()
            }
        }
    };
    scope(runtime, &stub)
}

fn types(valid: &Connector) -> TokenStream {
    let any_json = quote!(_omni::Value);
    let [config, credentials, state] = [&valid.config, &valid.credentials, &valid.state]
        .map(|ty| ty.as_ref().map_or(any_json.clone(), |ty| quote!(#ty)));
    quote! {
        type Config = #config;
        type Credentials = #credentials;
        type State = #state;
    }
}

fn modes(valid: &Connector) -> Option<TokenStream> {
    if !valid.declares_modes {
        return None;
    }
    let modes: Vec<Ident> = valid
        .modes
        .iter()
        .map(|mode| mode.variant.clone())
        .collect();
    let modes = variants("SyncType", &modes);
    Some(quote!(const SYNC_MODES: &'static [_omni::SyncType] = #modes;))
}

/// Generates the list of functions outside the block.
fn listed(valid: &Connector) -> TokenStream {
    let listed = &valid.listed;
    let actions = listed
        .actions
        .iter()
        .map(|path| quote_spanned!(path.span()=> <#path as _omni::ActionFn<Self>>::ACTION));
    let actions = (!listed.actions.is_empty())
        .then(|| quote!(const LISTED_ACTIONS: &'static [_omni::Action<Self>] = &[#(#actions),*];));
    let operators = listed
        .operators
        .iter()
        .map(|path| quote_spanned!(path.span()=> <#path as _omni::OperatorFn>::OPERATOR));
    let operators = (!listed.operators.is_empty())
        .then(|| quote!(const LISTED_OPERATORS: &'static [_omni::Operator] = &[#(#operators),*];));
    quote!(#actions #operators)
}

fn skills(skills: &[Skill]) -> Option<TokenStream> {
    let entries = skills.iter().map(|skill| {
        let (id, title) = (&skill.id, &skill.title);
        let description = optional(skill.description.as_ref());
        let text = match &skill.text {
            SkillText::File(path) => quote_spanned!(path.span()=> ::core::include_str!(#path)),
            SkillText::Here(text) => quote!(#text),
        };
        let source_types = variants("SourceType", &skill.source_types);
        quote! {
            _omni::DeclaredSkill {
                id: #id,
                title: #title,
                description: #description,
                text: #text,
                source_types: #source_types,
            }
        }
    });
    (!skills.is_empty())
        .then(|| quote!(const DECLARED_SKILLS: &'static [_omni::DeclaredSkill] = &[#(#entries),*];))
}

/// Generates the comparisons that only rustc can make: functions across modules, and modes with their functions.
fn checks(valid: &Connector) -> TokenStream {
    let ident = &valid.ident;
    let actions = valid
        .listed
        .actions
        .iter()
        .enumerate()
        .map(|(index, path)| {
            let index = Literal::usize_unsuffixed(index);
            quote_spanned! {path.span()=>
                const _: () = _omni::assert_unique_action::<#ident>(#index);
            }
        });
    let operators = valid
        .listed
        .operators
        .iter()
        .enumerate()
        .map(|(index, path)| {
            let index = Literal::usize_unsuffixed(index);
            quote_spanned! {path.span()=>
                const _: () = _omni::assert_unique_operator::<#ident>(#index);
            }
        });
    let modes = valid.modes.iter().map(|mode| {
        let variant = &mode.variant;
        quote_spanned! {variant.span()=>
            const _: () = _omni::assert_synced::<#ident>(_omni::SyncType::#variant);
        }
    });
    let mcp = valid.mcp.iter().map(|server| {
        quote_spanned! {server.span()=>
            const _: () = _omni::assert_one_mcp::<#ident>();
        }
    });
    quote!(#(#actions)* #(#operators)* #(#modes)* #(#mcp)*)
}
