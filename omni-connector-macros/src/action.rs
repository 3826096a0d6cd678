//! `#[action]`: from a function to its entry in the table of actions.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Lit, LitStr, Pat, PatType, Path, ReturnType, Type, spanned::Spanned};

use crate::{
    diagnostics::Errors,
    docs,
    function::{Function, marker},
    keys::Keys,
    names,
};

const KEYS: &[&str] =
    &["read", "write", "name", "scopes", "source_types", "admin_only", "hidden", "timeout", "crate"];
const ARG_KEYS: &[&str] = &[
    "name", "default", "min", "max", "min_length", "max_length", "max_items", "pattern", "format", "example",
];

/// An entry of the table, and the name it has on the wire.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) tokens: TokenStream,
}

/// Whose function it is.
pub(crate) enum Owner {
    /// A method of the connector.
    Method,
    /// A function elsewhere.
    Free,
}

/// One parameter, by who supplies it.
enum Parameter<'a> {
    Connector,
    Framework(&'a Type),
    Caller { ty: &'a Type, arg: TokenStream, has_bare_default: bool },
}

/// `#[action]` on a function outside a `#[connector] impl`.
pub(crate) fn expand_free(keys: TokenStream, item: TokenStream) -> TokenStream {
    let Ok(function) = syn::parse2::<Function>(item.clone()) else {
        let error = syn::Error::new(Span::call_site(), "`#[action]` goes on an `async fn`").to_compile_error();
        return quote!(#item #error);
    };
    let emitted = function.emitted(&["action"]);
    let mut errors = Errors::new();
    if function.signature.receiver().is_some() {
        errors.push(
            Span::call_site(),
            "`#[action]` on a method needs its block",
            "put `#[connector]` on the `impl` block",
        );
        let error = errors.finish().err();
        return quote!(#emitted #error);
    }
    let keys = Keys::parse(keys, KEYS, &mut errors);
    let runtime = keys.runtime(&mut errors);
    let connector = connector_parameter(&function);
    let entry = entry(&function, &keys, &runtime, &Owner::Free, &mut errors);
    if let Err(error) = errors.finish() {
        return quote!(#emitted #error);
    }
    let Some(entry) = entry else { return quote!(#emitted) };
    let (tokens, visibility, ident) = (entry.tokens, &function.visibility, &function.signature.ident);
    let conditions: Vec<_> = function.conditions().collect();
    let implementation = if let Some(connector) = connector {
        quote! {
            impl #runtime::declare::ActionFn<#connector> for #ident {
                const ACTION: #runtime::declare::Action<#connector> = #tokens;
            }
        }
    } else {
        let supplied = function.parameters().filter(|parameter| !is_arg(parameter)).map(|parameter| &parameter.ty);
        quote! {
            impl<Connector: #runtime::Connector> #runtime::declare::ActionFn<Connector> for #ident
            where
                #(#supplied: #runtime::declare::FromCall<
                    #runtime::declare::CallOf<Connector, #runtime::declare::OfAction>,
                >,)*
            {
                const ACTION: #runtime::declare::Action<Connector> = #tokens;
            }
        }
    };
    quote! {
        #emitted

        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility struct #ident {}

        #(#conditions)*
        #implementation
    }
}

/// The connector's type, where a free function takes it: as a reference, in the first place.
fn connector_parameter(function: &Function) -> Option<Type> {
    match function.parameters().next().filter(|parameter| !is_arg(parameter)).map(|parameter| &*parameter.ty) {
        Some(Type::Reference(reference)) => Some((*reference.elem).clone()),
        _ => None,
    }
}

fn is_arg(parameter: &PatType) -> bool {
    parameter.attrs.iter().any(|attribute| marker(attribute, &["arg"]).is_some())
}

/// The entry of one function.
pub(crate) fn entry_of_method(
    function: &Function,
    keys: TokenStream,
    runtime: &Path,
    errors: &mut Errors,
) -> Option<Entry> {
    let keys = Keys::parse(keys, KEYS, errors);
    entry(function, &keys, runtime, &Owner::Method, errors)
}

fn entry(
    function: &Function,
    keys: &Keys,
    runtime: &Path,
    owner: &Owner,
    errors: &mut Errors,
) -> Option<Entry> {
    let ident = &function.signature.ident;
    check_signature(function, "action", owner, errors);
    let (name, name_span) = names::on_the_wire(keys.string("name", "name = \"…\"", errors).as_ref(), ident);
    names::check(&name, name_span, errors);
    let description = docs::description(&function.attributes);
    if description.is_none() {
        errors.push(
            ident.span(),
            format!("`{ident}` needs a description"),
            "add a `///` comment; people and language models read it",
        );
    }
    let mode = mode(keys, ident, errors)?;
    let parameters = parameters(function, runtime, owner, errors);

    let args = parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Caller { arg, .. } => Some(arg),
        _ => None,
    });
    let args: Vec<_> = args.collect();
    let count = args.len();
    let mut earlier: Vec<TokenStream> = Vec::new();
    let mut inputs = Vec::new();
    for parameter in &parameters {
        if let Parameter::Framework(ty) = parameter {
            let span = ty.span();
            let input = input_schema(ty, runtime, owner, function);
            inputs.push(quote_spanned!(span=> #runtime::declare::input_once(#input, &[#(#earlier),*], #count)));
            earlier.push(input);
        }
    }
    let scopes = match keys.list::<LitStr>("scopes", "[\"issues:write\"]", errors) {
        Some(scopes) => quote!(::core::option::Option::Some(&[#(#scopes),*])),
        None => quote!(::core::option::Option::None),
    };
    let source_types = keys.list::<Path>("source_types", "[Jira]", errors).unwrap_or_default();
    let source_types = names::source_types(&source_types, runtime, errors);
    let (admin_only, hidden) = (keys.flag("admin_only", errors), keys.flag("hidden", errors));
    let timeout = match keys.value::<syn::LitInt>("timeout", "a number of seconds", errors) {
        Some(seconds) => quote!(::core::option::Option::Some(::core::time::Duration::from_secs(#seconds))),
        None => quote!(::core::option::Option::None),
    };
    let call = thunk(function, &parameters, runtime, owner);
    let tokens = quote! {
        #runtime::declare::Action {
            name: #name,
            description: #description,
            mode: #runtime::ActionMode::#mode,
            args: &[#(#args),*],
            inputs: &[#(#inputs),*],
            scopes: #scopes,
            source_types: &[#(#source_types),*],
            admin_only: #admin_only,
            hidden: #hidden,
            timeout: #timeout,
            call: #call,
        }
    };
    Some(Entry { name, name_span, tokens })
}

/// The schema that an argument brings along.
fn input_schema(ty: &Type, runtime: &Path, owner: &Owner, function: &Function) -> TokenStream {
    let connector = match (owner, connector_parameter(function)) {
        (Owner::Method, _) => quote!(Self),
        (Owner::Free, Some(connector)) => quote!(#connector),
        (Owner::Free, None) => quote!(Connector),
    };
    let span = ty.span();
    quote_spanned! {span=>
        <#ty as #runtime::declare::FromCall<
            #runtime::declare::CallOf<#connector, #runtime::declare::OfAction>,
        >>::INPUT
    }
}

/// What every function that the framework calls must look like.
pub(crate) fn check_signature(function: &Function, kind: &str, owner: &Owner, errors: &mut Errors) {
    let signature = &function.signature;
    let ident = &signature.ident;
    if signature.asyncness.is_none() {
        errors.push(signature.fn_token.span, format!("{kind} `{ident}` must be an `async fn`"), "write `async fn`");
    }
    if let Some(parameter) = signature.generics.params.iter().find(|p| !matches!(p, syn::GenericParam::Lifetime(_))) {
        errors.push(
            parameter.span(),
            format!("{kind} `{ident}` must not be generic"),
            "its schema is fixed when it is compiled",
        );
    }
    for parameter in function.parameters() {
        if let Type::ImplTrait(ty) = &*parameter.ty {
            errors.push(
                ty.span(),
                format!("{kind} `{ident}` must not be generic"),
                "its schema is fixed when it is compiled",
            );
        }
    }
    if let Owner::Method = owner {
        let receiver = signature.receiver().map(|receiver| (receiver, quote!(#receiver).to_string()));
        match receiver {
            Some((_, text)) if text.starts_with('&') && !text.contains("mut") => {}
            Some((receiver, _)) => errors.push(
                receiver.span(),
                format!("{} {kind} takes `&self`", article(kind)),
                "one connector serves many calls at once",
            ),
            None => errors.push(
                ident.span(),
                format!("{} {kind} takes `&self`", article(kind)),
                "list a function without `self` on the struct instead: `actions = […]`",
            ),
        }
    }
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with('a') { "an" } else { "a" }
}

fn mode(keys: &Keys, ident: &Ident, errors: &mut Errors) -> Option<Ident> {
    let (read, write) = (keys.flag("read", errors), keys.flag("write", errors));
    let span = keys.span("write").or(keys.span("read")).unwrap_or_else(|| ident.span());
    match (read, write) {
        (true, false) => Some(Ident::new("Read", Span::call_site())),
        (false, true) => Some(Ident::new("Write", Span::call_site())),
        (true, true) => {
            errors.push(span, "an action says `read` or `write`, not both", "an action that changes anything is `write`");
            None
        }
        (false, false) => {
            errors.push(span, "an action says `read` or `write`", "`#[action(read)]` or `#[action(write)]`");
            None
        }
    }
}

fn parameters<'a>(
    function: &'a Function,
    runtime: &Path,
    owner: &Owner,
    errors: &mut Errors,
) -> Vec<Parameter<'a>> {
    let takes_connector = matches!(owner, Owner::Free) && connector_parameter(function).is_some();
    let mut parameters = Vec::new();
    for (index, parameter) in function.parameters().enumerate() {
        if index == 0 && takes_connector {
            parameters.push(Parameter::Connector);
        } else if is_arg(parameter) {
            parameters.push(argument(parameter, runtime, errors));
        } else {
            if let Some(doc) = parameter.attrs.iter().find(|attribute| attribute.path().is_ident("doc")) {
                errors.push(
                    doc.span(),
                    "only an argument that the caller supplies has a description",
                    "mark it `#[arg]`, or use a `//` comment",
                );
            }
            parameters.push(Parameter::Framework(&parameter.ty));
        }
    }
    parameters
}

/// One parameter with `#[arg]`.
fn argument<'a>(parameter: &'a PatType, runtime: &Path, errors: &mut Errors) -> Parameter<'a> {
    let tokens = parameter.attrs.iter().find(|attribute| marker(attribute, &["arg"]).is_some()).map(arg_keys);
    let keys = Keys::parse(tokens.unwrap_or_default(), ARG_KEYS, errors);
    let ty = &*parameter.ty;
    if let Some(lifetime) = borrowed(ty) {
        errors.push(lifetime, "action input owns its data", "use `String`");
    }
    let given = keys.string("name", "name = \"…\"", errors);
    let (name, span) = match (&given, &*parameter.pat) {
        (_, Pat::Ident(pattern)) => names::on_the_wire(given.as_ref(), &pattern.ident),
        (Some(name), _) => (name.value(), name.span()),
        (None, pattern) => {
            errors.push(pattern.span(), "an argument that is taken apart needs a name", "`#[arg(name = \"…\")]`");
            (String::new(), pattern.span())
        }
    };
    names::check_property(&name, span, errors);
    let description = docs::description(&parameter.attrs);
    if description.is_none() {
        errors.push(
            span,
            format!("argument `{name}` needs a description"),
            "add a `///` comment above it; people and language models read it",
        );
    }
    let limits = limits(&keys, runtime, errors);
    let bare = keys.span("default").is_some() && keys.value_is_empty("default");
    let default = if bare {
        Some(quote!(.optional()))
    } else {
        json(&keys, "default", errors).map(|json| quote!(.default(#json)))
    };
    let example = json(&keys, "example", errors).map(|json| quote!(.example(#json)));
    let type_span = ty.span();
    let of = quote_spanned!(type_span=> #runtime::declare::Arg::of::<#ty>);
    let arg = quote!(#of(#name, #description) #default #example #limits);
    Parameter::Caller { ty, arg, has_bare_default: bare }
}

fn arg_keys(attribute: &syn::Attribute) -> TokenStream {
    match &attribute.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    }
}

/// The first reference or lifetime in a type.
fn borrowed(ty: &Type) -> Option<Span> {
    match ty {
        Type::Reference(reference) => Some(reference.and_token.span()),
        Type::Path(path) => path.path.segments.iter().find_map(|segment| match &segment.arguments {
            syn::PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
                syn::GenericArgument::Lifetime(lifetime) if lifetime.ident != "static" => Some(lifetime.span()),
                syn::GenericArgument::Type(ty) => borrowed(ty),
                _ => None,
            }),
            _ => None,
        }),
        _ => None,
    }
}

/// A literal as the JSON text it becomes.
fn json(keys: &Keys, key: &str, errors: &mut Errors) -> Option<String> {
    keys.span(key)?;
    let expression: syn::Expr = keys.value(key, "a literal", errors)?;
    let text = json_of(&expression);
    if text.is_none() {
        errors.push(expression.span(), format!("`{key}` expects a literal"), "a text, a number, `true`, `false` or a list of these");
    }
    text
}

fn json_of(expression: &syn::Expr) -> Option<String> {
    match expression {
        syn::Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(quoted(&text.value())),
            Lit::Int(number) => Some(number.base10_digits().to_owned()),
            Lit::Float(number) => Some(number.base10_digits().to_owned()),
            Lit::Bool(value) => Some(value.value.to_string()),
            _ => None,
        },
        syn::Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => {
            Some(format!("-{}", json_of(&unary.expr)?))
        }
        syn::Expr::Array(array) => {
            let items = array.elems.iter().map(json_of).collect::<Option<Vec<_>>>()?;
            Some(format!("[{}]", items.join(",")))
        }
        _ => None,
    }
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c.is_control() => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

/// A number, for comparing limits with each other.
fn number(keys: &Keys, key: &str, errors: &mut Errors) -> Option<(f64, Span)> {
    keys.span(key)?;
    let expression: syn::Expr = keys.value(key, "a number", errors)?;
    let number = json_of(&expression).and_then(|json| json.parse().ok());
    if number.is_none() {
        errors.push(expression.span(), format!("`{key}` expects a number"), "");
    }
    Some((number?, expression.span()))
}

fn limits(keys: &Keys, runtime: &Path, errors: &mut Errors) -> Option<TokenStream> {
    let mut set = Vec::new();
    let (min, max) = (number(keys, "min", errors), number(keys, "max", errors));
    if let (Some((min, _)), Some((max, span))) = (min, max)
        && min > max
    {
        errors.push(span, format!("`max` is {max}, below `min`, which is {min}"), "no value can keep to both");
    }
    if let Some(default) = keys.number_if_there("default") {
        let outside = min.is_some_and(|(min, _)| default.0 < min) || max.is_some_and(|(max, _)| default.0 > max);
        if outside {
            errors.push(default.1, "the default is outside its own limits", "a caller who leaves it out would be refused");
        }
    }
    for (key, limit) in [("min", min), ("max", max)] {
        if let Some((value, _)) = limit {
            let field = format_ident!("{key}");
            set.push(quote!(#field: ::core::option::Option::Some(#value)));
        }
    }
    let mut sizes = Vec::new();
    for key in ["min_length", "max_length", "max_items"] {
        if keys.span(key).is_some()
            && let Some(size) = keys.value::<syn::LitInt>(key, "a whole number", errors)
        {
            let field = format_ident!("{key}");
            sizes.push((key, size.base10_parse::<usize>().unwrap_or_default(), size.span()));
            set.push(quote!(#field: ::core::option::Option::Some(#size)));
        }
    }
    let size = |key| sizes.iter().find(|(name, ..)| *name == key).map(|(_, size, span)| (*size, *span));
    if let (Some((least, _)), Some((most, span))) = (size("min_length"), size("max_length"))
        && least > most
    {
        errors.push(span, format!("`max_length` is {most}, below `min_length`, which is {least}"), "no value can keep to both");
    }
    for key in ["pattern", "format"] {
        if let Some(text) = keys.string(key, "…", errors) {
            let field = format_ident!("{key}");
            set.push(quote!(#field: ::core::option::Option::Some(#text)));
        }
    }
    if set.is_empty() {
        return None;
    }
    Some(quote!(.limits(#runtime::declare::Limits { #(#set,)* ..#runtime::declare::Limits::NONE })))
}

/// Reads the arguments and calls the function.
fn thunk(function: &Function, parameters: &[Parameter<'_>], runtime: &Path, owner: &Owner) -> TokenStream {
    let ident = &function.signature.ident;
    let hidden = |name: &str| Ident::new(name, Span::mixed_site());
    let (connector, call, input) = (hidden("connector"), hidden("call"), hidden("input"));
    let mut reads = Vec::new();
    let mut values = Vec::new();
    for (index, (parameter, declared)) in parameters.iter().zip(function.parameters()).enumerate() {
        let binding = match &*declared.pat {
            Pat::Ident(pattern) => Ident::new(&pattern.ident.to_string(), Span::mixed_site()),
            _ => hidden(&format!("argument_{index}")),
        };
        match parameter {
            Parameter::Connector => {
                values.push(quote!(#connector));
                continue;
            }
            Parameter::Framework(ty) => {
                let span = ty.span();
                let read = quote_spanned!(span=> <#ty as #runtime::declare::FromCall<_>>::from_call(&mut #call)?);
                reads.push(quote!(let #binding = #read;));
            }
            Parameter::Caller { ty, has_bare_default, .. } => {
                let take = if *has_bare_default { quote!(take_or_default) } else { quote!(take) };
                let span = ty.span();
                let read = quote_spanned!(span=> #input.#take::<#ty>()?);
                reads.push(quote!(let #binding = #read;));
            }
        }
        values.push(quote!(#binding));
    }
    let has_input = parameters.iter().any(|parameter| matches!(parameter, Parameter::Caller { .. }));
    let open = has_input.then(|| quote!(let mut #input = #call.input()?;));
    let callee = match owner {
        Owner::Method => quote!(#connector.#ident(#(#values),*)),
        Owner::Free => quote!(#ident(#(#values),*)),
    };
    let returned = match &function.signature.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => ident.span(),
    };
    let answer = quote_spanned!(returned=> #runtime::actions::answer);
    let boxed = quote_spanned!(ident.span()=> ::std::boxed::Box::pin);
    let unused = matches!(owner, Owner::Free).then(|| quote!(let _ = #connector;));
    quote! {
        |#connector, mut #call| #boxed(async move {
            #unused
            #open
            #(#reads)*
            #answer(#callee.await)
        })
    }
}
