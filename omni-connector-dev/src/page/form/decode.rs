//! Decodes the fields of a form into a value. It never fails: an invalid input is kept as typed, with its fault.

use serde_json::{Map, Value};

use super::{
    ADD, Decoded, Fields, REMOVE, below,
    kind::{Kind, Object, Shape, shape},
    role,
};

/// Decodes a form of that schema, and applies its buttons.
pub(crate) fn decode(schema: &Value, fields: &Fields) -> Decoded {
    let mut reader = Reader {
        fields,
        decoded: Decoded::default(),
    };
    let value = reader.value(schema, "", true, 0);
    reader.decoded.value = value.unwrap_or_else(super::nothing);
    reader.decoded
}

struct Reader<'a> {
    fields: &'a Fields,
    decoded: Decoded,
}

impl Reader<'_> {
    fn fault(&mut self, place: &str, text: &str) {
        self.decoded
            .faults
            .insert(place.to_owned(), text.to_owned());
    }

    fn value(
        &mut self,
        schema: &Value,
        place: &str,
        required: bool,
        depth: usize,
    ) -> Option<Value> {
        let Shape { kind, nullable, .. } = shape(schema, depth);
        let absent = (required && nullable).then_some(Value::Null);
        let fields = self.fields;
        let typed = fields.at(role::VALUE, place);
        let must = required && !nullable;
        match kind {
            Kind::Text(_) => match typed {
                Some("") | None if !must => absent,
                typed => Some(unix_lines(typed.unwrap_or_default()).into()),
            },
            Kind::Number(number) => {
                let text = typed.unwrap_or_default().trim();
                if text.is_empty() {
                    if must && typed.is_some() {
                        self.fault(place, "needs a number");
                    }
                    return absent;
                }
                let read: Option<Value> = serde_json::from_str(text).ok();
                match read.filter(|read| {
                    read.is_number() && (!number.is_whole || read.is_i64() || read.is_u64())
                }) {
                    Some(read) => Some(read),
                    None => {
                        let kind = if number.is_whole {
                            "a whole number"
                        } else {
                            "a number"
                        };
                        self.fault(place, &format!("`{text}` is not {kind}"));
                        Some(text.into())
                    }
                }
            }
            Kind::Flag if must => Some(typed.is_some().into()),
            Kind::Flag => match typed {
                Some("true") => Some(true.into()),
                Some("false") => Some(false.into()),
                _ => absent,
            },
            Kind::Choice(values) => {
                let index: Option<usize> = typed.and_then(|typed| typed.parse().ok());
                let chosen = index.and_then(|index| values.get(index).copied().cloned());
                chosen.or(absent)
            }
            Kind::Json => self.json(role::VALUE, place, must).or(absent),
            Kind::List(items) => {
                let list = self.list(items, place, depth);
                if list.is_empty() && !must {
                    absent
                } else {
                    Some(list.into())
                }
            }
            Kind::Object(object) => {
                if !must && fields.at(role::PRESENT, place).is_none() {
                    return absent;
                }
                Some(self.object(&object, place, depth).into())
            }
            Kind::Variants(variants) => {
                let index: Option<usize> = fields
                    .at(role::CHOICE, place)
                    .and_then(|index| index.parse().ok());
                match index.and_then(|index| Some((index, *variants.get(index)?))) {
                    Some((index, variant)) => {
                        self.value(variant, &format!("{place}~v{index}"), true, depth + 1)
                    }
                    None => absent,
                }
            }
        }
    }

    fn json(&mut self, role: char, place: &str, must: bool) -> Option<Value> {
        let text = self.fields.at(role, place)?.trim();
        if text.is_empty() {
            if must {
                self.fault(place, "needs a value, as JSON");
            }
            return None;
        }
        match serde_json::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                let place_in_text = format!("line {}, column {}", error.line(), error.column());
                self.fault(place, &format!("is not JSON at {place_in_text}"));
                Some(text.into())
            }
        }
    }

    fn list(&mut self, items: &Value, place: &str, depth: usize) -> Vec<Value> {
        let fields = self.fields;
        let mut list = Vec::new();
        for index in 0..fields.count(place) {
            let item = below(place, &index.to_string());
            if fields.get(REMOVE) == Some(&item) {
                continue;
            }
            list.extend(self.value(items, &item, true, depth + 1));
        }
        if fields.get(ADD) == Some(place) {
            list.push(blank(items, depth + 1));
        }
        list
    }

    fn object(&mut self, object: &Object<'_>, place: &str, depth: usize) -> Map<String, Value> {
        let mut read = Map::new();
        if object.is_open
            && let Some(others) = self.json(role::OTHERS, place, false)
        {
            match others {
                Value::Object(others) => read.extend(others),
                _ => self.fault(place, "the other members are not a JSON object"),
            }
        }
        for (name, schema, required) in &object.members {
            let value = self.value(schema, &below(place, name), *required, depth + 1);
            read.extend(value.map(|value| ((*name).to_owned(), value)));
        }
        let Some(others) = object.others else {
            return read;
        };
        let entries = format!("{place}~m");
        for index in 0..self.fields.count(&entries) {
            let entry = below(&entries, &index.to_string());
            let key = self
                .fields
                .at(role::KEY, &entry)
                .unwrap_or_default()
                .to_owned();
            if self.fields.get(REMOVE) == Some(&entry) {
                continue;
            }
            if let Some(value) = self.value(others, &entry, true, depth + 1) {
                read.insert(key, value);
            }
        }
        if self.fields.get(ADD) == Some(&entries) {
            read.entry("").or_insert_with(|| blank(others, depth + 1));
        }
        read
    }
}

/// Creates a new item of a list.
fn blank(schema: &Value, depth: usize) -> Value {
    let shape = shape(schema, depth);
    match shape.kind {
        _ if shape.default.is_some() => shape.default.cloned().unwrap_or_default(),
        Kind::Text(_) => "".into(),
        Kind::Flag => false.into(),
        Kind::List(_) => Vec::<Value>::new().into(),
        Kind::Object(_) => super::nothing(),
        Kind::Choice(values) => values.first().copied().cloned().unwrap_or_default(),
        Kind::Variants(variants) => variants
            .first()
            .map_or(Value::Null, |first| blank(first, depth + 1)),
        Kind::Json | Kind::Number(_) => Value::Null,
    }
}

/// Removes the carriage returns that browsers add to line ends.
fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}
