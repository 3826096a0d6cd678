//! Tests forms over HTTP: rendered from the schema of an action, filled, submitted, and received by the connector.

use serde_json::{Value, json};

use crate::{World, browser::fields};

const FORM: &str = "<form method=\"post\" action=\"/dev/actions?source=";

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "title": { "type": "string", "description": "What people read" },
            "size": { "type": "integer", "minimum": 1 },
            "tags": { "type": "array", "items": { "type": "string" } },
            "due": { "type": ["string", "null"], "format": "date-time" },
            "person": { "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] },
        },
        "required": ["title"],
    })
}

/// Returns the connector's input, without the settings that the manager adds.
async fn answer(browser: &crate::Browser) -> Value {
    let shown = browser.json("/dev/actions").await;
    let mut got = shown["called"]["answer"]["result"].clone();
    if let Some(members) = got.as_object_mut() {
        members.remove("api_url");
    }
    got
}

#[tokio::test]
async fn a_form_is_filled_and_the_connector_gets_the_value() {
    let world = World::with(schema()).await;
    let browser = world.browser().await;
    let path = format!("/dev/actions?source={}&action=echo", world.source);
    let page = browser.page(&path).await;
    let mut sent = fields(&page, FORM);
    for (name, value) in [("v/title", "A & \"B\""), ("v/size", "3")] {
        sent.iter_mut().find(|(known, _)| known == name).unwrap().1 = value.to_owned();
    }
    sent.push(("p/person".to_owned(), "1".to_owned()));
    sent.iter_mut()
        .find(|(known, _)| known == "v/person/name")
        .unwrap()
        .1 = "Ann".to_owned();
    assert_eq!(browser.post(&path, &sent).await.status(), 303);
    assert_eq!(
        answer(&browser).await,
        json!({ "title": "A & \"B\"", "size": 3, "person": { "name": "Ann" } })
    );
    // The form shows the last input again.
    let again = fields(&browser.page(&path).await, FORM);
    assert_eq!(browser.post(&path, &again).await.status(), 303);
    assert_eq!(answer(&browser).await["title"], "A & \"B\"");
}

#[tokio::test]
async fn a_list_grows_and_shrinks_without_scripts() {
    let world = World::with(schema()).await;
    let browser = world.browser().await;
    let path = format!("/dev/actions?source={}&action=echo", world.source);
    let mut sent = fields(&browser.page(&path).await, FORM);
    for text in ["one", "two", "three"] {
        sent.push(("add".to_owned(), "/tags".to_owned()));
        let answer = browser.post(&path, &sent).await;
        assert_eq!(
            answer.status(),
            200,
            "the form comes again and nothing is called"
        );
        sent = fields(&answer.text().await.unwrap(), FORM);
        sent.iter_mut()
            .rfind(|(name, _)| name.starts_with("v/tags/"))
            .unwrap()
            .1 = text.to_owned();
    }
    sent.push(("remove".to_owned(), "/tags/1".to_owned()));
    let answer_page = browser.post(&path, &sent).await.text().await.unwrap();
    let sent = fields(&answer_page, FORM);
    assert_eq!(browser.post(&path, &sent).await.status(), 303);
    assert_eq!(
        answer(&browser).await,
        json!({ "title": "", "tags": ["one", "three"] })
    );
}

#[tokio::test]
async fn an_invalid_input_is_reported_at_its_field_and_nothing_is_called() {
    let world = World::with(schema()).await;
    let browser = world.browser().await;
    let path = format!("/dev/actions?source={}&action=echo", world.source);
    let mut sent = fields(&browser.page(&path).await, FORM);
    sent.iter_mut()
        .find(|(name, _)| name == "v/size")
        .unwrap()
        .1 = "<b>many".to_owned();
    let answered = browser.post(&path, &sent).await;
    assert_eq!(answered.status(), 200);
    let page = answered.text().await.unwrap();
    assert!(
        page.contains("size `&lt;b&gt;many` is not a whole number"),
        "{page}"
    );
    assert!(
        page.contains("value=\"&lt;b&gt;many\""),
        "what was typed stays"
    );
    assert_eq!(answer(&browser).await, Value::Null);
}
