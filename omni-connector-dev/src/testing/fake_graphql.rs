//! GraphQL for a fake of an API: reads what a request selects, and answers with the selected fields only.

use graphql_parser::query::{
    Definition, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
    Value as Literal, parse_query,
};
use serde_json::{Map, Value, json};

/// The one field that a request selects at the root.
#[derive(Debug, PartialEq)]
pub(super) struct Root {
    pub(super) is_mutation: bool,
    /// The arguments, with the values of variables.
    pub(super) arguments: Map<String, Value>,
    pub(super) field: Selected,
}

/// A selected field, with the selected fields of its objects.
#[derive(Debug, PartialEq)]
pub(super) struct Selected {
    /// Its name in the answer: an alias, or its own name.
    key: String,
    pub(super) name: String,
    fields: Vec<Selected>,
}

impl Root {
    /// Reads the body of a request.
    pub(super) fn read(body: &Value) -> Result<Self, String> {
        let query = body["query"].as_str().ok_or("the body has no `query`")?;
        let document = parse_query::<&str>(query).map_err(|error| error.to_string())?;
        let (mut operations, mut fragments) = (Vec::new(), Vec::new());
        for definition in document.definitions {
            match definition {
                Definition::Operation(operation) => operations.push(operation),
                Definition::Fragment(fragment) => fragments.push(fragment),
            }
        }
        let Ok([operation]) = <[_; 1]>::try_from(operations) else {
            return Err("a fake answers one operation at a time".to_owned());
        };
        let (is_mutation, set, defaults) = match operation {
            OperationDefinition::SelectionSet(set) => (false, set, Vec::new()),
            OperationDefinition::Query(it) => (false, it.selection_set, it.variable_definitions),
            OperationDefinition::Mutation(it) => (true, it.selection_set, it.variable_definitions),
            OperationDefinition::Subscription(_) => {
                return Err("a fake has no subscriptions".to_owned());
            }
        };
        let mut variables = Map::new();
        for variable in &defaults {
            let given = body.pointer(&format!("/variables/{}", variable.name));
            let default = || Some(value(variable.default_value.as_ref()?, &Map::new()));
            if let Some(value) = given.cloned().or_else(default) {
                variables.insert(variable.name.to_owned(), value);
            }
        }
        let [Selection::Field(field)] = &set.items[..] else {
            return Err("a fake answers one field of the root at a time".to_owned());
        };
        let arguments = field.arguments.iter();
        Ok(Self {
            is_mutation,
            arguments: arguments
                .map(|(name, literal)| ((*name).to_owned(), value(literal, &variables)))
                .collect(),
            field: Selected::read(field, &fragments),
        })
    }

    /// Returns an argument as text; none if it is null or missing.
    pub(super) fn argument(&self, name: &str) -> Option<String> {
        match self.arguments.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// Returns an answer with the selected fields of the root field's value.
    pub(super) fn answer(&self, value: &Value) -> Value {
        json!({ "data": { &self.field.key: self.field.pick(value) } })
    }
}

impl Selected {
    fn read<'a>(field: &Field<'a, &'a str>, fragments: &[FragmentDefinition<'a, &'a str>]) -> Self {
        let mut fields = Vec::new();
        collect(&field.selection_set, fragments, &mut fields);
        Self {
            key: field.alias.unwrap_or(field.name).to_owned(),
            name: field.name.to_owned(),
            fields,
        }
    }

    /// Returns the selected fields of a value. Lists and values without fields are returned whole.
    fn pick(&self, value: &Value) -> Value {
        match value {
            Value::Array(values) => values.iter().map(|value| self.pick(value)).collect(),
            Value::Object(members) => {
                let pick = |field: &Self| {
                    let value = members.get(&field.name).unwrap_or(&Value::Null);
                    (field.key.clone(), field.pick(value))
                };
                Value::Object(self.fields.iter().map(pick).collect())
            }
            other => other.clone(),
        }
    }

    /// Returns the first mistake in what is selected of these values: a field that none of them has, or an object without
    /// selected fields. A real service refuses both.
    pub(super) fn mistake(&self, values: &[&Value]) -> Option<String> {
        let flat = values.iter().flat_map(|value| match value {
            Value::Array(values) => values.iter().collect(),
            value => vec![*value],
        });
        let objects: Vec<_> = flat.filter_map(Value::as_object).collect();
        if objects.is_empty() {
            return None;
        }
        if self.fields.is_empty() {
            return Some(format!("no field of `{}` is selected", self.name));
        }
        self.fields.iter().find_map(|field| {
            let values: Vec<_> = objects
                .iter()
                .filter_map(|it| it.get(&field.name))
                .collect();
            match &values[..] {
                [] => Some(format!("`{}` has no field `{}`", self.name, field.name)),
                values => field.mistake(values),
            }
        })
    }
}

/// Adds the fields of a selection, and those of the fragments in it.
fn collect<'a>(
    set: &SelectionSet<'a, &'a str>,
    fragments: &[FragmentDefinition<'a, &'a str>],
    fields: &mut Vec<Selected>,
) {
    for selection in &set.items {
        match selection {
            Selection::Field(field) => fields.push(Selected::read(field, fragments)),
            Selection::InlineFragment(fragment) => {
                collect(&fragment.selection_set, fragments, fields);
            }
            Selection::FragmentSpread(spread) => {
                let name = spread.fragment_name;
                if let Some(fragment) = fragments.iter().find(|it| it.name == name) {
                    collect(&fragment.selection_set, fragments, fields);
                }
            }
        }
    }
}

fn value<'a>(literal: &Literal<'a, &'a str>, variables: &Map<String, Value>) -> Value {
    match literal {
        Literal::Variable(name) => variables.get(*name).cloned().unwrap_or_default(),
        Literal::Int(number) => number.as_i64().into(),
        Literal::Float(number) => (*number).into(),
        Literal::String(text) => text.clone().into(),
        Literal::Boolean(is_true) => (*is_true).into(),
        Literal::Null => Value::Null,
        Literal::Enum(name) => (*name).into(),
        Literal::List(values) => values.iter().map(|it| value(it, variables)).collect(),
        Literal::Object(members) => {
            let members = members.iter();
            members
                .map(|(name, it)| ((*name).to_owned(), value(it, variables)))
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, variables: Value) -> Root {
        Root::read(&json!({ "query": query, "variables": variables })).unwrap()
    }

    #[test]
    fn an_answer_has_the_selected_fields_under_their_aliases() {
        let root = read(
            "query($n: Int = 5, $at: String) { all: issues(first: $n, after: $at, by: { key: KEY }) { nodes { id ...F } } }
             fragment F on Issue { name: title ... on Task { owner { email } } }",
            json!({ "at": "after-4" }),
        );
        assert_eq!(root.argument("first").unwrap(), "5");
        assert_eq!(root.argument("after").unwrap(), "after-4");
        assert_eq!(root.arguments["by"], json!({ "key": "KEY" }));
        let issue = json!({ "id": "1", "title": "T", "text": "hidden", "owner": { "email": "a", "age": 7 } });
        assert_eq!(
            root.answer(&json!({ "nodes": [issue] })),
            json!({ "data": { "all": { "nodes": [{ "id": "1", "name": "T", "owner": { "email": "a" } }] } } })
        );
    }

    #[test]
    fn a_selection_that_a_service_would_refuse_is_a_mistake() {
        let issues = json!({ "nodes": [{ "id": "1" }, { "id": "2", "owner": { "email": "a" } }] });
        let mistake = |query: &str| read(query, json!({})).field.mistake(&[&issues]);
        assert_eq!(mistake("{ issues { nodes { id owner { email } } } }"), None);
        assert_eq!(
            mistake("{ issues { nodes { id key } } }").unwrap(),
            "`nodes` has no field `key`"
        );
        assert_eq!(
            mistake("{ issues { nodes { owner } } }").unwrap(),
            "no field of `owner` is selected"
        );
    }
}
