//! Checks whether a literal can be a value of a type, by the name of the type. An alias passes; the check before
//! registering compares the rest with the schema.

use proc_macro2::Span;
use syn::{
    Expr, GenericArgument, Ident, Lit, PathArguments, PathSegment, Type, UnOp, spanned::Spanned,
};

use crate::diagnostics::Errors;

/// Reports the first part of the literal under `key` that cannot be a value of `ty`. Returns whether all of it fits.
pub(super) fn check(key: &str, literal: &Expr, ty: &Type, errors: &mut Errors) -> bool {
    let misfit = misfit(literal, ty);
    let fits = misfit.is_none();
    if let Some((place, kind, example)) = misfit {
        errors.push(
            place,
            format!("the {key} cannot be a value of type `{kind}`"),
            format!("write a value of that type, such as `{example}`"),
        );
    }
    fits
}

/// Returns the first part that does not fit: its span, the type there, and an example of that type.
fn misfit(literal: &Expr, ty: &Type) -> Option<(Span, String, String)> {
    let segment = last_segment(ty)?;
    let name = segment.ident.to_string();
    let wrong = |example: String| Some((literal.span(), name.clone(), example));
    if let Some((least, most)) = whole_numbers(&name) {
        let fits = whole(literal).is_some_and(|number| (least..=most).contains(&number));
        return if fits {
            None
        } else {
            wrong(least.max(1).to_string())
        };
    }
    match name.as_str() {
        "String" if !is(literal, |lit| matches!(lit, Lit::Str(_))) => wrong("\"…\"".to_owned()),
        "bool" if !is(literal, |lit| matches!(lit, Lit::Bool(_))) => wrong("true".to_owned()),
        "f32" | "f64" if number(literal).is_none() => wrong("1.5".to_owned()),
        "Option" | "Box" => misfit(literal, argument(segment)?),
        "Vec" | "VecDeque" | "HashSet" | "BTreeSet" => {
            let item = argument(segment)?;
            match literal {
                Expr::Array(array) => array.elems.iter().find_map(|literal| misfit(literal, item)),
                _ => Some((literal.span(), name, "[…]".to_owned())),
            }
        }
        _ => None,
    }
}

/// Returns the last name in a path, and the first type between its angle brackets.
pub(crate) fn name_and_argument(ty: &Type) -> Option<(&Ident, Option<&Type>)> {
    let segment = last_segment(ty)?;
    Some((&segment.ident, argument(segment)))
}

/// Returns whether a value of this type is never a JSON object.
pub(super) fn is_never_an_object(ty: &Type) -> bool {
    const TYPES: [&str; 11] = [
        "String", "str", "char", "bool", "f32", "f64", "Option", "Vec", "VecDeque", "HashSet",
        "BTreeSet",
    ];
    match ty {
        Type::Tuple(_) | Type::Array(_) | Type::Slice(_) => true,
        _ => last_segment(ty).is_some_and(|segment| {
            let name = segment.ident.to_string();
            TYPES.contains(&name.as_str()) || whole_numbers(&name).is_some()
        }),
    }
}

/// What the values of a type are, or the items of a list.
pub(super) enum Kind {
    Number,
    String,
    Bool,
}

/// A type that is known by its name.
pub(super) struct Described {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) is_list: bool,
}

/// Describes a type, also an optional one. Returns none for a type of the author.
pub(super) fn described(ty: &Type) -> Option<Described> {
    let segment = last_segment(ty)?;
    let name = segment.ident.to_string();
    let kind = match name.as_str() {
        "Option" | "Box" => return described(argument(segment)?),
        "Vec" | "VecDeque" | "HashSet" | "BTreeSet" => {
            let item = described(argument(segment)?)?;
            return Some(Described {
                name: format!("{name}<{}>", item.name),
                is_list: true,
                ..item
            });
        }
        "f32" | "f64" => Kind::Number,
        "String" => Kind::String,
        "bool" => Kind::Bool,
        _ => whole_numbers(&name).map(|_| Kind::Number)?,
    };
    Some(Described {
        name,
        kind,
        is_list: false,
    })
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// Returns the one type between the angle brackets.
fn argument(segment: &PathSegment) -> Option<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
        }
        _ => None,
    }
}

fn is(literal: &Expr, kind: fn(&Lit) -> bool) -> bool {
    matches!(literal, Expr::Lit(literal) if kind(&literal.lit))
}

/// Returns the smallest and the largest value of an integer type.
fn whole_numbers(name: &str) -> Option<(i128, i128)> {
    Some(match name {
        "u8" => (0, u8::MAX.into()),
        "u16" => (0, u16::MAX.into()),
        "u32" => (0, u32::MAX.into()),
        "u64" | "usize" | "u128" => (0, u64::MAX.into()),
        "i8" => (i8::MIN.into(), i8::MAX.into()),
        "i16" => (i16::MIN.into(), i16::MAX.into()),
        "i32" => (i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" | "i128" => (i64::MIN.into(), i64::MAX.into()),
        _ => return None,
    })
}

/// Parses a whole number, also one written as `3.0`, which JSON counts as whole.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a number without a fraction, within 64 bits"
)]
fn whole(literal: &Expr) -> Option<i128> {
    match literal {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => Some(-whole(&unary.expr)?),
        Expr::Lit(of) => match &of.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            Lit::Float(_) => number(literal)
                .filter(|number| number.fract() == 0.0 && number.abs() < 1e18)
                .map(|number| number as i128),
            _ => None,
        },
        _ => None,
    }
}

fn number(literal: &Expr) -> Option<f64> {
    match literal {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => Some(-number(&unary.expr)?),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            Lit::Float(number) => number.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    }
}
