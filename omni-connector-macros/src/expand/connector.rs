//! The trait impl of an annotated struct: what one would write by hand, with the tables of its functions behind it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Generics, Path, Type, spanned::Spanned};

use super::{bound_for_ever, optional, variants};
use crate::valid::{Connector, SkillText};

/// `impl Connector` and what it stands on. `is_unfinished` when something was refused: nothing more is checked then.
pub(crate) fn connector(
    valid: &Connector,
    generics: &Generics,
    is_unfinished: bool,
    runtime: &Path,
) -> TokenStream {
    let Connector { ident, name, .. } = valid;
    let generics = bound_for_ever(generics);
    let (impl_generics, type_generics, condition) = generics.split_for_impl();
    let declared = declared(valid, runtime);
    let [config, credentials, state] =
        [&valid.config, &valid.credentials, &valid.state].map(|ty| {
            ty.as_ref()
                .map_or(quote!(#runtime::Value), |ty| quote!(#ty))
        });
    let version = match &valid.version {
        Some(version) => quote!(#version),
        None => quote!(::core::env!("CARGO_PKG_VERSION")),
    };
    let methods = [
        display_name(valid),
        description(valid),
        read_only(valid),
        extra(valid, runtime),
    ];
    let skills = skills(valid, runtime);
    let checks = (!is_unfinished).then(|| checks(valid, runtime));
    quote! {
        impl #impl_generics #runtime::declare::Declared for #ident #type_generics #condition {
            #declared
        }

        #[#runtime::async_trait]
        impl #impl_generics #runtime::Connector for #ident #type_generics #condition {
            type Config = #config;
            type Credentials = #credentials;
            type State = #state;

            fn name(&self) -> &'static str {
                #name
            }

            fn version(&self) -> &'static str {
                #version
            }

            #(#methods)*

            #skills

            fn source_types(&self) -> ::std::vec::Vec<#runtime::SourceType> {
                <Self as #runtime::declare::Declared>::SOURCE_TYPES.to_vec()
            }

            fn sync_modes(&self) -> ::std::vec::Vec<#runtime::SyncType> {
                <Self as #runtime::declare::Declared>::MODES.to_vec()
            }

            fn requires_credentials(&self) -> bool {
                #runtime::declare::requires_credentials::<Self>()
            }

            async fn validate(
                &self,
                source: &#runtime::Source,
                credentials: ::core::option::Option<&#runtime::ServiceCredential>,
                manager: &#runtime::ManagerClient,
            ) -> #runtime::Result<()> {
                #runtime::declare::validate(self, source, credentials, manager).await
            }

            async fn sync(
                &self,
                _: #runtime::Source,
                credentials: ::core::option::Option<#runtime::ServiceCredential>,
                checkpoint: ::core::option::Option<Self::State>,
                ctx: #runtime::SyncContext,
            ) -> #runtime::Result<()> {
                #runtime::declare::sync(self, credentials, checkpoint, ctx).await
            }

            fn actions(&self) -> ::std::vec::Vec<#runtime::ActionDefinition> {
                #runtime::declare::actions::<Self>()
            }

            fn action_scopes(
                &self,
                action: &str,
            ) -> ::core::option::Option<::std::vec::Vec<::std::string::String>> {
                #runtime::declare::action_scopes::<Self>(action)
            }

            fn call_action(
                &self,
                call: #runtime::ActionCall,
            ) -> #runtime::BoxFuture<'_, #runtime::Result<#runtime::Response>> {
                #runtime::declare::call_action(self, call)
            }

            fn operators(&self) -> ::std::vec::Vec<#runtime::Operator> {
                #runtime::declare::operators::<Self>()
            }

            fn attributes_schema(&self) -> ::core::option::Option<#runtime::Value> {
                #runtime::declare::attributes_schema::<Self>()
            }

            fn oauth_config(&self) -> ::core::option::Option<#runtime::OAuthConfig> {
                #runtime::declare::oauth_config(self)
            }
        }

        #checks
    }
}

/// What stands in the attribute, as constants that the checks and the tables read.
fn declared(valid: &Connector, runtime: &Path) -> TokenStream {
    let name = &valid.name;
    let modes: Vec<_> = valid
        .modes
        .iter()
        .map(|mode| mode.variant.clone())
        .collect();
    let modes = variants(runtime, "SyncType", &modes);
    let source_types = variants(runtime, "SourceType", &valid.source_types);
    let actions = valid.listed.actions.iter().map(
        |path| quote_spanned!(path.span()=> <#path as #runtime::declare::ActionFn<Self>>::ACTION),
    );
    let operators = valid.listed.operators.iter().map(
        |path| quote_spanned!(path.span()=> <#path as #runtime::declare::OperatorFn>::OPERATOR),
    );
    quote! {
        const NAME: &'static str = #name;
        const SOURCE_TYPES: &'static [#runtime::SourceType] = #source_types;
        const MODES: &'static [#runtime::SyncType] = #modes;
        const ACTIONS: &'static [#runtime::declare::Action<Self>] = &[#(#actions),*];
        const OPERATORS: &'static [#runtime::Operator] = &[#(#operators),*];
    }
}

fn display_name(valid: &Connector) -> Option<TokenStream> {
    let text = valid.display_name.as_ref()?;
    Some(quote! {
        fn display_name(&self) -> ::std::string::String {
            ::std::string::String::from(#text)
        }
    })
}

fn description(valid: &Connector) -> Option<TokenStream> {
    let text = valid.description.as_ref()?;
    Some(quote! {
        fn description(&self) -> ::core::option::Option<::std::string::String> {
            ::core::option::Option::Some(::std::string::String::from(#text))
        }
    })
}

fn read_only(valid: &Connector) -> Option<TokenStream> {
    valid.read_only.then(|| {
        quote! {
            fn read_only(&self) -> bool {
                true
            }
        }
    })
}

fn extra(valid: &Connector, runtime: &Path) -> Option<TokenStream> {
    let ty: &Type = valid.extra.as_ref()?;
    let schema = quote_spanned!(ty.span()=> #runtime::declare::input_schema::<#ty>());
    Some(quote! {
        fn extra_schema(&self) -> ::core::option::Option<#runtime::Value> {
            ::core::option::Option::Some(#schema)
        }
    })
}

fn skills(valid: &Connector, runtime: &Path) -> TokenStream {
    let skills = valid.skills.iter().map(|skill| {
        let (id, title) = (&skill.id, &skill.title);
        let description = optional(skill.description.as_ref());
        let text = match &skill.text {
            SkillText::File(path) => quote_spanned!(path.span()=> ::core::include_str!(#path)),
            SkillText::Here(text) => quote!(#text),
        };
        let source_types = variants(runtime, "SourceType", &skill.source_types);
        quote! {
            #runtime::declare::skill(#id, #title, #description, #text, #source_types)
        }
    });
    quote! {
        fn skills(&self) -> ::std::vec::Vec<#runtime::Skill> {
            #runtime::declare::skills(self, [#(#skills),*])
        }
    }
}

/// What only rustc can compare: functions across modules, and modes with the functions that are for them.
fn checks(valid: &Connector, runtime: &Path) -> TokenStream {
    let ident = &valid.ident;
    let actions = valid
        .listed
        .actions
        .iter()
        .enumerate()
        .map(|(index, path)| {
            quote_spanned! {path.span()=>
                const _: () = #runtime::declare::assert_unique_action::<#ident>(#index);
            }
        });
    let operators = valid
        .listed
        .operators
        .iter()
        .enumerate()
        .map(|(index, path)| {
            quote_spanned! {path.span()=>
                const _: () = #runtime::declare::assert_unique_operator::<#ident>(#index);
            }
        });
    let modes = valid.modes.iter().map(|mode| {
        let variant = &mode.variant;
        quote_spanned! {variant.span()=>
            const _: () = #runtime::declare::assert_synced::<#ident>(#runtime::SyncType::#variant);
        }
    });
    quote!(#(#actions)* #(#operators)* #(#modes)*)
}
