//! The trait impl of an annotated struct: what one would write by hand, with the tables of its functions behind it.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Generics, Path, Type, spanned::Spanned};

use super::{bound_for_ever, optional, scope, variants};
use crate::valid::{Connector, SkillText};

/// `impl Connector` and what it stands on.
pub(crate) fn connector(valid: &Connector, runtime: &Path) -> TokenStream {
    let Connector { ident, name, .. } = valid;
    let declared = declared(valid);
    let types = types(valid);
    let version = match &valid.version {
        Some(version) => quote!(#version),
        None => quote!(::core::env!("CARGO_PKG_VERSION")),
    };
    let methods = [
        display_name(valid),
        description(valid),
        read_only(valid),
        extra(valid),
    ];
    let skills = skills(valid);
    let outside = outside(valid);
    let checks = checks(valid);
    let implementation = quote! {
        impl _omni::Declared for #ident {
            #declared
        }

        #[_omni::async_trait]
        impl _omni::Connector for #ident {
            #types

            fn name(&self) -> &'static str {
                #name
            }

            fn version(&self) -> &'static str {
                #version
            }

            #(#methods)*

            #skills

            fn source_types(&self) -> _omni::Vec<_omni::SourceType> {
                _omni::source_types::<Self>()
            }

            fn sync_modes(&self) -> _omni::Vec<_omni::SyncType> {
                _omni::sync_modes::<Self>()
            }

            fn requires_credentials(&self) -> bool {
                _omni::requires_credentials::<Self>()
            }

            async fn validate(
                &self,
                source: &_omni::Source,
                credentials: _omni::Option<&_omni::ServiceCredential>,
                manager: &_omni::ManagerClient,
            ) -> _omni::Result<()> {
                _omni::validate(self, source, credentials, manager).await
            }

            async fn sync(
                &self,
                _: _omni::Source,
                credentials: _omni::Option<_omni::ServiceCredential>,
                checkpoint: _omni::Option<Self::State>,
                ctx: _omni::SyncContext,
            ) -> _omni::Result<()> {
                _omni::sync(self, credentials, checkpoint, ctx).await
            }

            fn actions(&self) -> _omni::Vec<_omni::ActionDefinition> {
                _omni::actions::<Self>()
            }

            fn action_scopes(
                &self,
                action: &str,
            ) -> _omni::Option<_omni::Vec<_omni::String>> {
                _omni::action_scopes::<Self>(action)
            }

            fn action_output(&self, action: &str) -> _omni::Option<_omni::Value> {
                _omni::action_output::<Self>(action)
            }

            fn call_action(
                &self,
                call: _omni::ActionCall,
            ) -> _omni::BoxFuture<'_, _omni::Result<_omni::Response>> {
                _omni::call_action(self, call)
            }

            fn webhooks(&self) -> _omni::Vec<&'static str> {
                _omni::webhooks::<Self>()
            }

            fn call_webhook(
                &self,
                call: _omni::WebhookCall,
            ) -> _omni::BoxFuture<'_, _omni::Result<_omni::Webhook>> {
                _omni::call_webhook(self, call)
            }

            fn operators(&self) -> _omni::Vec<_omni::Operator> {
                _omni::operators::<Self>()
            }

            fn attributes_schema(&self) -> _omni::Option<_omni::Value> {
                _omni::attributes_schema::<Self>()
            }

            #outside
        }

        #checks
    };
    scope(runtime, &implementation)
}

/// In place of [`connector`] where something was refused, so that the block of the struct has nothing to report.
pub(crate) fn unfinished_connector(
    valid: &Connector,
    generics: &Generics,
    runtime: &Path,
) -> TokenStream {
    let ident = &valid.ident;
    let types = types(valid);
    // A connector has no generics. One that has some is told of that, and of nothing that follows from it.
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

/// How people sign in, and the MCP server behind the connector.
fn outside(valid: &Connector) -> TokenStream {
    let server = match &valid.mcp {
        Some(server) => quote_spanned!(server.span()=> _omni::server(#server)),
        None => quote!(_omni::mcp_server(self)),
    };
    quote! {
        fn oauth_config(&self) -> _omni::Option<_omni::OAuthConfig> {
            _omni::oauth_config(self)
        }

        async fn credential_ready(
            &self,
            ready: _omni::CredentialReady,
            manager: &_omni::ManagerClient,
        ) -> _omni::Result<()> {
            _omni::credential_ready(self, ready, manager).await
        }

        async fn enrich(&self, tokens: _omni::OAuthTokens) -> _omni::Result<_omni::OAuthExtra> {
            _omni::enrich(self, tokens).await
        }

        fn mcp_server(&self) -> _omni::Option<_omni::McpServer> {
            #server
        }

        fn prepare_mcp_env(
            &self,
            credentials: &_omni::McpCredentials,
        ) -> _omni::Result<_omni::HashMap<_omni::String, _omni::String>> {
            _omni::prepare_mcp_env(self, credentials)
        }

        fn prepare_mcp_headers(
            &self,
            credentials: &_omni::McpCredentials,
        ) -> _omni::Result<_omni::HashMap<_omni::String, _omni::String>> {
            _omni::prepare_mcp_headers(self, credentials)
        }
    }
}

/// What stands in the attribute, as constants that the checks and the tables read.
fn declared(valid: &Connector) -> TokenStream {
    let name = &valid.name;
    let modes: Vec<_> = valid
        .modes
        .iter()
        .map(|mode| mode.variant.clone())
        .collect();
    let modes = variants("SyncType", &modes);
    let source_types = variants("SourceType", &valid.source_types);
    let actions = valid
        .listed
        .actions
        .iter()
        .map(|path| quote_spanned!(path.span()=> <#path as _omni::ActionFn<Self>>::ACTION));
    let operators = valid
        .listed
        .operators
        .iter()
        .map(|path| quote_spanned!(path.span()=> <#path as _omni::OperatorFn>::OPERATOR));
    quote! {
        const NAME: &'static str = #name;
        const SOURCE_TYPES: &'static [_omni::SourceType] = #source_types;
        const MODES: &'static [_omni::SyncType] = #modes;
        const ACTIONS: &'static [_omni::Action<Self>] = &[#(#actions),*];
        const OPERATORS: &'static [_omni::Operator] = &[#(#operators),*];
    }
}

fn display_name(valid: &Connector) -> Option<TokenStream> {
    let text = valid.display_name.as_ref()?;
    Some(quote! {
        fn display_name(&self) -> _omni::String {
            _omni::String::from(#text)
        }
    })
}

fn description(valid: &Connector) -> Option<TokenStream> {
    let text = valid.description.as_ref()?;
    Some(quote! {
        fn description(&self) -> _omni::Option<_omni::String> {
            _omni::Some(_omni::String::from(#text))
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

fn extra(valid: &Connector) -> Option<TokenStream> {
    let ty: &Type = valid.extra.as_ref()?;
    let schema = quote_spanned!(ty.span()=> _omni::input_schema::<#ty>());
    Some(quote! {
        fn extra_schema(&self) -> _omni::Option<_omni::Value> {
            _omni::Some(#schema)
        }
    })
}

fn skills(valid: &Connector) -> TokenStream {
    let skills = valid.skills.iter().map(|skill| {
        let (id, title) = (&skill.id, &skill.title);
        let description = optional(skill.description.as_ref());
        let text = match &skill.text {
            SkillText::File(path) => quote_spanned!(path.span()=> ::core::include_str!(#path)),
            SkillText::Here(text) => quote!(#text),
        };
        let source_types = variants("SourceType", &skill.source_types);
        quote! {
            _omni::skill(#id, #title, #description, #text, #source_types)
        }
    });
    quote! {
        fn skills(&self) -> _omni::Vec<_omni::Skill> {
            _omni::skills(self, [#(#skills),*])
        }
    }
}

/// What only rustc can compare: functions across modules, and modes with the functions that are for them.
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
