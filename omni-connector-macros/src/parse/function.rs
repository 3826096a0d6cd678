//! Parses functions and `impl` blocks up to their signatures. Bodies stay tokens, so rustc reports mistakes in them.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::{
    Attribute, FnArg, Generics, ImplItem, Meta, PatType, Path, Signature, Token, Type, Visibility,
    braced,
    parse::{Parse, ParseStream, discouraged::Speculative},
    parse_quote,
};

/// A function with an unparsed body.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            body: input.parse()?,
        })
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.attributes);
        self.visibility.to_tokens(tokens);
        self.signature.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

impl Function {
    /// Returns the parameters without `self`.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &PatType> {
        self.signature
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Typed(parameter) => Some(parameter),
                FnArg::Receiver(_) => None,
            })
    }

    /// Returns the annotated function for output: without our markers, and without what Rust does not allow on
    /// parameters.
    pub(crate) fn emitted(&self, markers: &[&str]) -> Self {
        let mut function = self.clone();
        function
            .attributes
            .retain(|attribute| marker(attribute, markers).is_none());
        let lints = self.lints();
        if !lints.is_empty() {
            function
                .attributes
                .push(parse_quote!(#[allow(#(clippy::#lints),*)]));
        }
        for input in &mut function.signature.inputs {
            if let FnArg::Typed(parameter) = input {
                parameter.attrs.retain(|attribute| {
                    marker(attribute, &["arg"]).is_none() && !attribute.path().is_ident("doc")
                });
            }
        }
        function
    }

    /// Returns the lints of clippy that may complain about the signature, which the framework requires. The documentation is
    /// for people and language models.
    fn lints(&self) -> Vec<Ident> {
        if self.signature.asyncness.is_none() {
            return Vec::new();
        }
        let is_public = !matches!(self.visibility, Visibility::Inherited);
        let is_value = |parameter: &PatType| !matches!(*parameter.ty, Type::Reference(_));
        let body = || self.body.stream();
        let lints = [
            ("missing_errors_doc", is_public),
            ("needless_pass_by_value", self.parameters().any(is_value)),
            // Clippy does not count an `await` in an inner `async` block.
            (
                "unused_async",
                !has_word(body(), "await") || has_word(body(), "async"),
            ),
            (
                "unused_self",
                self.signature.receiver().is_some() && !has_word(body(), "self"),
            ),
        ];
        let lints = lints.into_iter().filter(|(_, may_complain)| *may_complain);
        lints
            .map(|(lint, _)| Ident::new(lint, Span::call_site()))
            .collect()
    }

    /// Puts a statement in front of the body.
    pub(crate) fn prepend(&mut self, statement: TokenStream) {
        let mut body = statement;
        body.extend(self.body.stream());
        let span = self.body.span();
        self.body = Group::new(Delimiter::Brace, body);
        self.body.set_span(span);
    }

    fn has_marker(&self, markers: &[&str]) -> bool {
        self.attributes
            .iter()
            .any(|attribute| marker(attribute, markers).is_some())
    }

    /// Returns the `#[cfg(…)]` of the function, for everything generated about it.
    pub(crate) fn conditions(&self) -> Vec<Attribute> {
        conditions(&self.attributes)
    }
}

/// Returns whether a word is among the tokens, at any depth.
pub(crate) fn has_word(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => has_word(group.stream(), word),
        _ => false,
    })
}

/// Returns the `#[cfg(…)]` among attributes.
pub(crate) fn conditions(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .cloned()
        .collect()
}

/// Returns the marker that an attribute is, by its last segment: `#[action]`, `#[omni_connector::action]`.
pub(crate) fn marker<'m>(attribute: &Attribute, markers: &[&'m str]) -> Option<&'m str> {
    let last = attribute.path().segments.last()?;
    markers.iter().copied().find(|marker| last.ident == marker)
}

/// Returns whether a parameter has that marker.
pub(crate) fn is_marked(parameter: &PatType, with: &str) -> bool {
    parameter
        .attrs
        .iter()
        .any(|attribute| marker(attribute, &[with]).is_some())
}

/// Returns the keys in an attribute's parentheses; empty without parentheses.
pub(crate) fn marker_keys(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    }
}

/// An `impl` block whose functions have unparsed bodies.
pub(crate) struct ImplBlock {
    attributes: Vec<Attribute>,
    impl_token: Token![impl],
    pub(crate) generics: Generics,
    /// The implemented trait, if there is one.
    pub(crate) of: Option<Path>,
    pub(crate) self_type: Type,
    pub(crate) items: Vec<Item>,
}

/// One item of an `impl` block.
pub(crate) enum Item {
    Function(Box<Function>),
    Other(TokenStream),
}

impl Parse for ImplBlock {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let impl_token = input.parse()?;
        let mut generics = if input.peek(Token![<]) {
            input.parse()?
        } else {
            Generics::default()
        };
        let first: Type = input.parse()?;
        let (of, self_type) = if input.parse::<Option<Token![for]>>()?.is_some() {
            let of = match &first {
                Type::Path(path) => path.path.clone(),
                other => return Err(syn::Error::new_spanned(other, "expected a trait")),
            };
            (Some(of), input.parse()?)
        } else {
            (None, first)
        };
        generics.where_clause = input.parse()?;
        let content;
        braced!(content in input);
        attributes.extend(content.call(Attribute::parse_inner)?);
        let mut items = Vec::new();
        while !content.is_empty() {
            items.push(content.parse()?);
        }
        Ok(Self {
            attributes,
            impl_token,
            generics,
            of,
            self_type,
            items,
        })
    }
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        match ahead.parse::<Function>() {
            Ok(function) => {
                input.advance_to(&ahead);
                Ok(Self::Function(Box::new(function)))
            }
            Err(_) => input
                .parse::<ImplItem>()
                .map(|item| Self::Other(item.into_token_stream())),
        }
    }
}

impl ImplBlock {
    /// Returns the functions with a body.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &Function> {
        self.items.iter().filter_map(|item| match item {
            Item::Function(function) => Some(&**function),
            Item::Other(_) => None,
        })
    }

    /// Returns the block with its functions for output.
    pub(crate) fn emitted(&self, markers: &[&str]) -> TokenStream {
        let Self {
            attributes,
            impl_token,
            generics,
            self_type,
            of,
            items,
        } = self;
        let of = of.as_ref().map(|of| quote!(#of for));
        let condition = &generics.where_clause;
        let items = items.iter().map(|item| match item {
            Item::Function(function) if function.has_marker(markers) => {
                function.emitted(markers).into_token_stream()
            }
            Item::Function(function) => function.into_token_stream(),
            Item::Other(tokens) => tokens.clone(),
        });
        let (outer, inner): (Vec<_>, Vec<_>) = attributes
            .iter()
            .partition(|attribute| matches!(attribute.style, syn::AttrStyle::Outer));
        quote! {
            #(#outer)*
            #impl_token #generics #of #self_type #condition {
                #(#inner)*
                #(#items)*
            }
        }
    }
}
