//! Reads workbooks: the rows, followed by comments, drawings and charts of the sheets.

use super::{beside, package::Package};
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
