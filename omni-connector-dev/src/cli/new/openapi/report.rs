//! What was taken from a document, what was left out and why, and what was asked.

use std::fmt::Write;

use super::Chosen;

impl Chosen {
    /// What was taken, what was left out and why, and what was asked.
    pub(in crate::cli::new) fn report(&self) -> String {
        let (plan, list) = (&self.plan, &self.list);
        let mut text = String::from("# What was made of the OpenAPI document\n\n## Taken\n\n");
        let _ = writeln!(
            text,
            "- the list `GET {}`, with its items at `{}`",
            list.path, list.pointer
        );
        for (field, member) in &plan.fields {
            let _ = writeln!(
                text,
                "- `{member}` of an item as its {}",
                field.replace('_', " ")
            );
        }
        if let Ok((member, _)) = &plan.id {
            let _ = writeln!(text, "- `{member}` as its id, as a flag says");
        }
        if let Ok(paging) = &plan.paging {
            let _ = writeln!(
                text,
                "- the end of the list by `{}`, as a flag says",
                paging.code
            );
        }
        for (name, value) in plan.query.iter().flatten() {
            let _ = writeln!(
                text,
                "- `{name}={value}` in every call of the list, as a flag says"
            );
        }
        if plan.creates {
            let _ = writeln!(text, "- `POST {}` as an action", list.path);
        }
        let questions = self.questions();
        if !questions.is_empty() {
            text.push_str(
                "\n## Asked\n\nThe crate does not compile before these are answered.\n\n",
            );
            for question in questions {
                let _ = writeln!(text, "- {question}");
            }
        }
        text.push_str("\n## To look at\n\n");
        for remark in &plan.remarks {
            let _ = writeln!(text, "- {remark}");
        }
        let used: Vec<_> = plan.fields.iter().map(|(_, member)| member).collect();
        let others: Vec<_> = list
            .fields
            .keys()
            .filter(|name| !used.contains(name))
            .map(|name| format!("`{name}`"))
            .collect();
        if !others.is_empty() {
            let _ = writeln!(
                text,
                "- members of an item that are not read: {}",
                others.join(", ")
            );
        }
        if !self.left_out.is_empty() {
            text.push_str("\n## Left out\n\n");
            for (path, why) in &self.left_out {
                let _ = writeln!(text, "- `GET {path}`: {why}");
            }
        }
        text
    }
}
