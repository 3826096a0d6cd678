//! Checks that checkpoints, configs and credentials of earlier versions are accepted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use omni_connector::SyncType;
use serde_json::Value;

use super::{Conformance, Failure, Verdict, undisturbed::undisturbed, world::World};
use crate::store::checkpoints;

/// The address of the source in a file.
const SOURCE: &str = "http://source";

/// The kinds of files in `tests/compat`, by the end of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Checkpoint,
    Config,
    Credentials,
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
        Some(match name.rsplit_once('.') {
            Some((_, "config")) => Self::Config,
            Some((_, "credentials")) => Self::Credentials,
            _ => Self::Checkpoint,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Config => "config",
            Self::Credentials => "credential",
        }
    }
}

pub(super) async fn old_state(suite: &Conformance) -> Result<Verdict> {
    let folder = suite.folder.join("tests/compat");
    if std::env::var_os("UPDATE").is_some() {
        write(suite, &folder).await?;
    }
    let mut files: Vec<(PathBuf, Kind)> = match fs::read_dir(&folder) {
        Ok(entries) => entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                Some((path.clone(), Kind::of(&path)?))
            })
            .collect(),
        Err(_) => Vec::new(),
    };
    files.sort_by(|(path, _), (other, _)| path.cmp(other));
    if files.is_empty() {
        let reason =
            "there are no files in `tests/compat/*.json`; `UPDATE=1` writes those of this version";
        return Ok(Verdict::LeftOut(reason.to_owned()));
    }
    for (path, kind) in &files {
        let text = fs::read_to_string(path)?;
        let value: Value = serde_json::from_str(&text)
            .with_context(|| format!("`{}` is not JSON", path.display()))?;
        let wrong = match kind {
            Kind::Checkpoint => old_checkpoint(suite, value).await?,
            Kind::Config => {
                let old = suite.anew().config(move |address| {
                    let text = value.to_string().replace(SOURCE, address.url());
                    serde_json::from_str(&text).unwrap_or_default()
                });
                old_settings(suite, &old).await?
            }
            Kind::Credentials => {
                let secrets = texts(suite.credentials.as_ref().unwrap_or(&Value::Null));
                let old = suite.anew().credentials(with_secrets(value, &secrets));
                old_settings(suite, &old).await?
            }
        };
        if let Some((error, changes)) = wrong {
            let help = match kind {
                Kind::Checkpoint => {
                    "give new fields of the state a default (`#[serde(default)]`), and keep old names as aliases"
                }
                Kind::Config => {
                    "give new settings a default (`#[serde(default)]`), and keep old names as aliases; `http://source` in the file is the address of the source"
                }
                Kind::Credentials => {
                    "keep old names of fields as aliases (`#[serde(alias = \"…\")]`); `«secret:1»` in the file is the first text of the test's credentials, in the order of their names"
                }
            };
            let what = format!(
                "the {} in `{}` is not accepted",
                kind.name(),
                path.display()
            );
            let failure = match error {
                // A run that fails brings nothing.
                error if !error.is_empty() => Failure::new(what).fact("error", error),
                _ => Failure::new(what).fact("changes", changes.join("\n")),
            };
            return Ok(Verdict::Failed(failure.help(help)));
        }
    }
    let count = |wanted: Kind| files.iter().filter(|(_, kind)| *kind == wanted).count();
    Ok(Verdict::Passed(format!(
        "{} checkpoints, {} configs and {} credentials of earlier versions",
        count(Kind::Checkpoint),
        count(Kind::Config),
        count(Kind::Credentials)
    )))
}

/// The failure of a run, and what it brings otherwise than expected.
type Wrong = (String, Vec<String>);

/// Runs with a checkpoint of an earlier version, over the documents of a complete run.
async fn old_checkpoint(suite: &Conformance, checkpoint: Value) -> Result<Option<Wrong>> {
    let world = World::calm(suite).await?;
    world.run(SyncType::Full).await?;
    let expected = world.state().await?;
    let id = world.setup.source.id.clone();
    let store = world.setup.manager.store();
    store
        .write(move |db| checkpoints::put(db, &id, &checkpoint))
        .await?;
    let modes = &world.setup.manifest.sync_modes;
    let mode = if modes.contains(&SyncType::Incremental) {
        SyncType::Incremental
    } else {
        SyncType::Full
    };
    let ended = world.attempt(mode).await?;
    let differences = world.state().await?.differences(&expected);
    let is_right = ended.is_completed() && differences.is_empty();
    Ok((!is_right).then(|| (ended.error(), differences)))
}

/// Makes the first run of a source with settings of an earlier version. It must bring what one with those of today does.
async fn old_settings(suite: &Conformance, old: &Conformance) -> Result<Option<Wrong>> {
    let Ok((expected, _)) = undisturbed(suite).await? else {
        return Ok(None);
    };
    let old = Conformance {
        is_coarse: suite.is_coarse.clone(),
        ..old.clone()
    };
    let world = World::calm(&old).await?;
    let ended = world.attempt(SyncType::Full).await?;
    let differences = world.state().await?.differences(&expected);
    let is_right = ended.is_completed() && differences.is_empty();
    Ok((!is_right).then(|| (ended.error(), differences)))
}

/// Writes the checkpoint of a run of this version, and the settings of the test.
async fn write(suite: &Conformance, folder: &Path) -> Result<()> {
    let world = World::calm(suite).await?;
    world.run(SyncType::Full).await?;
    let id = world.setup.source.id.clone();
    let store = world.setup.manager.store();
    let checkpoint = store.read(move |db| checkpoints::find(db, &id)).await?;
    fs::create_dir_all(folder)?;
    let version = &world.setup.manifest.version;
    let put = |end: &str, value: &Value| {
        let path = folder.join(format!("{version}{end}.json"));
        fs::write(path, serde_json::to_string_pretty(value)? + "\n")?;
        anyhow::Ok(())
    };
    if let Some(checkpoint) = checkpoint {
        put("", &checkpoint)?;
    }
    let config = world.setup.source.config.to_string();
    let config = match world.own_url() {
        Some(url) => config.replace(url, SOURCE),
        None => config,
    };
    put(".config", &serde_json::from_str(&config)?)?;
    if let Some(credentials) = &suite.credentials {
        put(
            ".credentials",
            &without_secrets(credentials.clone(), &mut 0),
        )?;
    }
    Ok(())
}

/// Returns all texts of a value, in the order of their names.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// Replaces each text by a stand-in with its number.
fn without_secrets(value: Value, number: &mut usize) -> Value {
    match value {
        Value::String(_) => {
            *number += 1;
            format!("«secret:{number}»").into()
        }
        Value::Array(items) => {
            let items = items.into_iter();
            items.map(|item| without_secrets(item, number)).collect()
        }
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields
                .map(|(name, field)| (name, without_secrets(field, number)))
                .collect()
        }
        value => value,
    }
}

/// Replaces each stand-in by its text.
fn with_secrets(value: Value, secrets: &[String]) -> Value {
    match value {
        Value::String(text) => {
            let number = text.strip_prefix("«secret:");
            let number = number.and_then(|text| text.strip_suffix('»')?.parse::<usize>().ok());
            let secret = number.and_then(|number| secrets.get(number.checked_sub(1)?));
            secret.cloned().unwrap_or(text).into()
        }
        Value::Array(items) => {
            let items = items.into_iter();
            items.map(|item| with_secrets(item, secrets)).collect()
        }
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields
                .map(|(name, field)| (name, with_secrets(field, secrets)))
                .collect()
        }
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_of_credentials_has_stand_ins_that_also_fit_another_name() {
        let now = json!({ "login": "ann", "site": { "password": "canary" }, "port": 1 });
        let written = without_secrets(now.clone(), &mut 0);
        let text = written.to_string();
        assert!(!text.contains("ann") && !text.contains("canary"), "{text}");
        assert_eq!(with_secrets(written, &texts(&now)), now);
        let old = json!({ "user": "«secret:1»", "secret": "«secret:2»", "other": "as it is" });
        let whole = json!({ "user": "ann", "secret": "canary", "other": "as it is" });
        assert_eq!(with_secrets(old, &texts(&now)), whole);
    }
}
