//! Changes of a fake's items.

use std::time::Duration;

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::source::{Change, Oddity, Unable};

/// The members of an item that a change affects.
pub(super) struct Fields {
    /// The id, if items are served one by one.
    pub(super) id: Option<String>,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) readers: String,
    /// The place of an item, such as its project.
    pub(super) container: Option<String>,
    /// The list of groups, and the member with a group's members.
    pub(super) members: Option<(usize, String)>,
    /// The parameter that asks for changes, and the member with the time of the last one.
    pub(super) changed: Option<(String, String)>,
    /// The parameter that asks for changes since a token.
    pub(super) token: Option<String>,
}

/// The time of changes that are made here. It is after all times of items, and the same in every run.
const CHANGED: &str = "2099-01-01T00:00:00Z";
/// How late the clock of a source is for [`Change::EditNow`].
const LATE: Duration = Duration::from_secs(2);
/// A character of no script, which an answer has as a byte that is not UTF-8.
pub(super) const NOT_UTF8: char = '\u{f8fe}';

/// Whether a time is not before another one. What is no time is listed.
pub(super) fn is_since(time: &Value, since: &str) -> bool {
    let read = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    match (time.as_str().and_then(read), read(since)) {
        (Some(time), Some(since)) => time >= since,
        _ => true,
    }
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            id: None,
            title: "title".to_owned(),
            text: "text".to_owned(),
            readers: "readers".to_owned(),
            container: None,
            members: None,
            changed: None,
            token: None,
        }
    }
}

/// Changes the items of the lists; the first list is the main one.
pub(super) fn apply(
    change: &Change,
    fields: &Fields,
    lists: &mut [Vec<Value>],
) -> Result<(), Unable> {
    fn item<'a>(
        items: &'a mut [Value],
        number: usize,
        change: &Change,
    ) -> Result<&'a mut Value, Unable> {
        let unable = || Unable(format!("this source cannot {change}: it has fewer items"));
        items.get_mut(number).ok_or_else(unable)
    }
    let unable = |why: &str| Unable(format!("this source cannot {change}: {why}"));
    if let Change::Leave | Change::EmptyGroup | Change::HideMembers = change {
        return change_group(change, fields, lists).map_err(unable);
    }
    let of_item = match change {
        Change::Edit(number)
        | Change::EditNow(number)
        | Change::Rename(number)
        | Change::Move(number)
        | Change::Narrow(number) => Some(*number),
        _ => None,
    };
    let no_readers = || {
        let member = &fields.readers;
        unable(&format!(
            "its items have no readers in `{member}`; `.readers(…)` of the fake names another member"
        ))
    };
    let items = lists.first_mut().ok_or_else(|| unable("it has no list"))?;
    match change {
        Change::Remove(number) => {
            item(items, *number, change)?;
            items.remove(*number);
        }
        Change::RemoveTenth => items.truncate(items.len() - items.len().div_ceil(10)),
        Change::RemoveMost => items.truncate(1),
        Change::RemoveAll => items.clear(),
        Change::Edit(number) | Change::EditNow(number) => {
            let text = &mut item(items, *number, change)?[&fields.text];
            *text = format!("{} (edited)", text.as_str().unwrap_or_default()).into();
        }
        Change::Rename(number) => {
            let title = &mut item(items, *number, change)?[&fields.title];
            *title = format!("{} (renamed)", title.as_str().unwrap_or_default()).into();
        }
        Change::Move(number) => {
            let member = fields.container.as_ref().ok_or_else(|| {
                unable("`.container(…)` of the fake names no member with the place of an item")
            })?;
            let place = &mut item(items, *number, change)?[member];
            *place = format!("{}-moved", place.as_str().unwrap_or_default()).into();
        }
        Change::Add | Change::AddFirst | Change::Grow(_) => {
            add(change, fields, items).map_err(unable)?;
        }
        Change::Narrow(number) => {
            let readers = &mut item(items, *number, change)?[&fields.readers];
            pop(readers).ok_or_else(no_readers)?;
        }
        Change::HideReaders(number) => {
            remove(item(items, *number, change)?, &fields.readers).ok_or_else(no_readers)?;
        }
        Change::Odd(number, oddity) => {
            let common = common(items, fields);
            odd(item(items, *number, change)?, *oddity, fields, common).map_err(unable)?;
        }
        Change::Vanish => return Err(unable("its calls are broken in place of that")),
        Change::Mutate(_) | Change::Restore => {
            return Err(Unable(format!(
                "this source cannot {change}: it is no tape"
            )));
        }
        Change::Leave
        | Change::EmptyGroup
        | Change::HideMembers
        | Change::UnevenPages
        | Change::EmptyPage
        | Change::FillPages(_)
        | Change::ForgetTokens => {}
    }
    if let (Some((_, member)), Some(number)) = (&fields.changed, of_item) {
        let time = match change {
            Change::EditNow(_) => (OffsetDateTime::now_utc() - LATE).format(&Rfc3339),
            _ => Ok(CHANGED.to_owned()),
        };
        items[number][member] = time.unwrap_or_default().into();
    }
    Ok(())
}

/// Adds items. The error says why that is not possible.
fn add(change: &Change, fields: &Fields, items: &mut Vec<Value>) -> Result<(), &'static str> {
    let before = items.clone();
    let no_object = "its items are no objects";
    match change {
        Change::AddFirst => {
            let first = before.first().ok_or("it has no items")?;
            items.insert(0, renewed(first, &before, 1).ok_or(no_object)?);
        }
        Change::Grow(count) => {
            let missing = count.saturating_sub(before.len());
            for (number, item) in before.iter().cycle().take(missing).enumerate() {
                items.push(renewed(item, &before, number + 1).ok_or(no_object)?);
            }
            if items.len() < *count {
                return Err("it has no items");
            }
        }
        _ => {
            let last = before.last().ok_or("it has no items")?;
            let mut new = renewed(last, &before, 1).ok_or(no_object)?;
            if let Some((_, member)) = &fields.changed {
                new[member] = CHANGED.into();
            }
            items.push(new);
        }
    }
    Ok(())
}

/// Changes the members of the first group.
fn change_group(
    change: &Change,
    fields: &Fields,
    lists: &mut [Vec<Value>],
) -> Result<(), &'static str> {
    let (list, member) = fields.members.as_ref().ok_or("it has no groups")?;
    let group = lists[*list].first_mut().ok_or("it has no groups")?;
    let no_members = "the group has no members";
    match change {
        Change::Leave => pop(&mut group[member]).ok_or(no_members)?,
        Change::EmptyGroup => group[member] = json!([]),
        _ => remove(group, member).ok_or(no_members)?,
    }
    Ok(())
}

/// Copies an item with other identifiers: the strings and numbers that are unique among the items.
fn renewed(item: &Value, items: &[Value], number: usize) -> Option<Value> {
    let mut new = item.clone();
    for (key, value) in new.as_object_mut()? {
        let is_unique = items.iter().filter(|item| item[key] == *value).count() == 1;
        if let (true, Value::String(text)) = (is_unique, &mut *value) {
            // A time that is unique is a time still.
            if OffsetDateTime::parse(text, &Rfc3339).is_err() {
                text.push('9');
                if number > 1 {
                    text.push_str(&number.to_string());
                }
            }
        } else if let (true, Some(unique)) = (is_unique, value.as_i64()) {
            *value = (unique + 1_000_000 * i64::try_from(number).ok()?).into();
        }
    }
    Some(new)
}

/// Finds a member with a word that several items have in common, such as a status.
fn common(items: &[Value], fields: &Fields) -> Option<String> {
    let item = items.first()?.as_object()?;
    let mut words = item.iter().filter(|(member, value)| {
        let is_other = [&fields.title, &fields.text, &fields.readers].contains(member);
        let is_word = value
            .as_str()
            .is_some_and(|word| OffsetDateTime::parse(word, &Rfc3339).is_err());
        let is_shared = items
            .iter()
            .filter(|other| other[*member] == **value)
            .count()
            > 1;
        !is_other && is_word && is_shared
    });
    words.next().map(|(member, _)| member.clone())
}

/// Makes an item unusual. `common` is a member that several items have in common. The error says why that is not
/// possible.
fn odd(
    item: &mut Value,
    oddity: Oddity,
    fields: &Fields,
    common: Option<String>,
) -> Result<(), &'static str> {
    match oddity {
        Oddity::NoTitle => drop(remove(item, &fields.title)),
        Oddity::NullText => item[&fields.text] = Value::Null,
        Oddity::ControlCharacters => item[&fields.text] = "a\u{0}b\u{7}c\u{202e}d".into(),
        Oddity::HugeText => item[&fields.text] = "lorem ipsum ".repeat(833_334).into(),
        Oddity::InvalidUtf8 => item[&fields.text] = format!("a{NOT_UTF8}b").into(),
        Oddity::UnknownValue => {
            let member = common.ok_or("its items have no word in common")?;
            item[member] = "never-seen-before".into();
        }
        Oddity::WrongType => item[&fields.text] = 42.into(),
        Oddity::EarlyTimes | Oddity::LateTimes => {
            let time = match oddity {
                Oddity::EarlyTimes => "0000-01-01T00:00:00Z",
                _ => "9999-12-31T23:59:59Z",
            };
            let is_time = |value: &Value| {
                let text = value.as_str();
                text.is_some_and(|text| OffsetDateTime::parse(text, &Rfc3339).is_ok())
            };
            let members = item.as_object_mut().into_iter().flatten();
            let times: Vec<_> = members
                .map(|(_, value)| value)
                .filter(|value| is_time(value))
                .collect();
            if times.is_empty() {
                return Err("its items have no times");
            }
            for value in times {
                *value = time.into();
            }
        }
        Oddity::StrangeId | Oddity::LongId => {
            let id = fields.id.as_ref().map(|id| &mut item[id]);
            let Some(Value::String(id)) = id else {
                return Err("`.item(…)` of the fake names no member that is a string");
            };
            match oddity {
                Oddity::StrangeId => id.push_str("/a?b#c"),
                _ => id.push_str(&"x".repeat(4_000)),
            }
        }
    }
    Ok(())
}

fn pop(list: &mut Value) -> Option<()> {
    list.as_array_mut()?.pop().map(drop)
}

fn remove(item: &mut Value, member: &str) -> Option<()> {
    item.as_object_mut()?.remove(member).map(drop)
}
