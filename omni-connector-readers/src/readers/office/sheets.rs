//! Reads workbooks: the rows, followed by comments, drawings and charts of the sheets.

use super::{
    beside,
    package::Package,
    xml::{Events, attribute},
};
use crate::readers::{Refusal, parts::Parts, workbook};

pub(super) fn read(
    package: &mut Package<'_>,
    data: &[u8],
    max_rows: usize,
    parts: &mut Parts<'_>,
) -> Result<(), Refusal> {
    workbook::xlsx(data, max_rows, parts)?;
    let Ok(main) = package.main("xl/workbook.xml") else {
        return Ok(());
    };
    for sheet in package.related(&main) {
        if matches!(sheet.kind.as_str(), "worksheet" | "chartsheet") {
            for text in beside::of(package, &sheet.name) {
                text.give(parts);
            }
        }
    }
    Ok(())
}

/// Removes the sheets whose parts the relationships do not list, since the reader would refuse the workbook. Notes their
/// names.
pub(in crate::readers) fn without_gone(
    workbook: &str,
    relationships: &str,
    gone: &mut Vec<String>,
) -> String {
    let mut listed = Vec::new();
    let mut events = Events::of(relationships);
    while let Some(tag) = events.next_tag() {
        listed.extend(attribute(&tag, "Id"));
    }
    let mut kept = String::with_capacity(workbook.len());
    let mut rest = workbook;
    while let Some(start) = rest.find('<') {
        let end = rest[start..]
            .find('>')
            .map_or(rest.len(), |end| start + end + 1);
        let tag = &rest[start..end];
        kept.push_str(&rest[..start]);
        rest = &rest[end..];
        let missing = Events::of(tag).next_tag().filter(|tag| {
            let id = tag
                .attributes()
                .with_checks(false)
                .flatten()
                .find(|attribute| {
                    let key = attribute.key;
                    key.local_name().as_ref() == "id" && key.as_ref() != "id"
                });
            tag.local_name().as_ref() == "sheet"
                && id.is_some_and(|id| !listed.iter().any(|listed| *listed == *id.value))
        });
        match missing {
            Some(tag) => gone.push(attribute(&tag, "name").unwrap_or_default()),
            None => kept.push_str(tag),
        }
    }
    kept + rest
}
