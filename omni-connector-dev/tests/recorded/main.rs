//! Compares the manager's answers and its calls to connectors with recordings of Omni's
//! connector-manager. `data/README.md` describes the data, its format and its rules.

mod compare;
mod effects;
mod exchange;
mod fake;
mod losses;
mod prepare;
mod replay;
mod schedule;
mod world;

use replay::replay;

/// Known deviations of this manager, with reasons.
const DEVIATIONS: &[(&str, &str, &str)] = &[
    ("extract", "429 converter overloaded", NO_CONVERTER),
    (
        "extract",
        "429 converter overloaded without Retry-After",
        NO_CONVERTER,
    ),
    ("extract", "converted", NO_CONVERTER),
    ("extract", "image converted", NO_CONVERTER),
    ("extract", "UTF-16 text", DECODED),
];

/// A header that this manager omits, and why.
const WITHHELD: (&str, &str) = (
    "access-control-allow-origin",
    "every page may ask the real manager (`protocol.md` §3.1); a development manager shares a machine with a browser, holds \
     secrets, and answers no page but its own",
);

const DECODED: &str =
    "text in another encoding is decoded here, and the manager notes that Omni will not see it";

const NO_CONVERTER: &str = "a Docling converter is a service of its own; a development manager has the built-in extraction alone";

macro_rules! replays {
    ($($promise:ident: $file:literal,)+) => {$(
        #[tokio::test]
        async fn $promise() {
            replay($file).await;
        }
    )+};
}

replays! {
    actions_are_checked_rewritten_and_relayed: "action",
    bodies_and_paths_are_refused: "body-errors",
    runs_are_cancelled: "cancel",
    contents_are_normalised_and_stored_once: "content",
    connectors_start_runs: "create-webhook",
    events_are_accepted_or_refused: "events",
    text_is_extracted: "extract",
    listings_show_what_there_is: "listing",
    connectors_hear_of_credentials: "oauth-credential-ready",
    connectors_register: "register",
    resources_prompts_and_skills_are_passed_on: "resource-prompt-skill",
    runs_report_their_progress: "run-progress",
    sources_and_credentials_are_read: "source-credentials",
    runs_are_started: "trigger",
}
