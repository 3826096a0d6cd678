//! Compares JSON numbers exactly.

use std::cmp::Ordering;

use serde_json::Number;

/// Compares without the rounding of floating-point numbers.
pub(crate) fn compare(a: &Number, b: &Number) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => compare_whole(a, b.as_f64().unwrap_or_default()),
        (None, Some(b)) => compare_whole(b, a.as_f64().unwrap_or_default()).reverse(),
        (None, None) => {
            let (a, b) = (a.as_f64(), b.as_f64());
            a.partial_cmp(&b).unwrap_or(Ordering::Equal)
        }
    }
}

fn whole(number: &Number) -> Option<i128> {
    let signed = number.as_i64().map(i128::from);
    signed.or_else(|| number.as_u64().map(i128::from))
}

/// Returns whether a number is a multiple of another one, apart from the rounding of floating-point numbers.
pub(super) fn is_multiple(amount: &Number, step: &Number) -> bool {
    if let (Some(amount), Some(step)) = (whole(amount), whole(step)) {
        return step == 0 || amount % step == 0;
    }
    let (amount, step) = (amount.as_f64(), step.as_f64());
    let times = amount.unwrap_or_default() / step.unwrap_or(1.0);
    (times - times.round()).abs() <= times.abs().max(1.0) * f64::EPSILON * 4.0
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a conversion to i128 keeps to its ends, which no whole JSON number reaches"
)]
fn compare_whole(a: i128, b: f64) -> Ordering {
    a.cmp(&(b.floor() as i128)).then(if b.fract() == 0.0 {
        Ordering::Equal
    } else {
        Ordering::Less
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_compare_with_fractions_and_very_large_numbers() {
        for (a, b, expected) in [
            (json!(2), json!(2.5), Ordering::Less),
            (json!(-2), json!(-2.5), Ordering::Greater),
            (json!(-3), json!(-2.5), Ordering::Less),
            (json!(3), json!(3.0), Ordering::Equal),
            (json!(u64::MAX), json!(1e300), Ordering::Less),
            (json!(i64::MIN), json!(-1e300), Ordering::Greater),
        ] {
            let (a, b) = (a.as_number().unwrap(), b.as_number().unwrap());
            assert_eq!(
                (compare(a, b), compare(b, a)),
                (expected, expected.reverse()),
                "{a} {b}"
            );
        }
    }
}
