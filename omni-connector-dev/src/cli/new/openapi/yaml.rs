//! Documents in YAML as the JSON that they mean.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Number, Value};

/// How deep a document may be nested, as in `serde_json`.
const DEEPEST: usize = 128;

/// Reads the first document of a text in YAML 1.2.
///
/// # Errors
/// Says what is wrong with the text, and where.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    json(documents.first().unwrap_or(&Yaml::BadValue), 0)
}

fn json(yaml: &Yaml<'_>, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err(format!("it is nested deeper than {DEEPEST} levels"));
    }
    Ok(match yaml {
        Yaml::Mapping(mapping) => {
            let member = |(key, value)| Ok((name(key)?, json(value, depth + 1)?));
            Value::Object(
                mapping
                    .iter()
                    .map(member)
                    .collect::<Result<Map<_, _>, String>>()?,
            )
        }
        Yaml::Sequence(sequence) => {
            let items = sequence.iter().map(|item| json(item, depth + 1));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Yaml::Tagged(_, inner) => json(inner, depth + 1)?,
        Yaml::Value(Scalar::Boolean(value)) => Value::Bool(*value),
        Yaml::Value(Scalar::Integer(value)) => Value::from(*value),
        Yaml::Value(Scalar::FloatingPoint(value)) => {
            Number::from_f64(value.0).map_or(Value::Null, Value::Number)
        }
        Yaml::Value(Scalar::String(text)) | Yaml::Representation(text, _, _) => {
            Value::String(text.to_string())
        }
        Yaml::Value(Scalar::Null) | Yaml::Alias(_) | Yaml::BadValue => Value::Null,
    })
}

/// The name of a member. A status such as `200` is written without quotation marks.
fn name(key: &Yaml<'_>) -> Result<String, String> {
    match json(key, DEEPEST)? {
        Value::String(name) => Ok(name),
        Value::Null => Ok("null".to_owned()),
        Value::Object(_) | Value::Array(_) => Err("a name in it is not a text".to_owned()),
        other => Ok(other.to_string()),
    }
}
