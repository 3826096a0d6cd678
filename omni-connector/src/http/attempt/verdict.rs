//! Judges an answer: a success, a refusal in the service's own words, or an error with its cure.

use reqwest::{Url, header::HeaderMap};

use super::{Again, Failure, Reader};
use crate::{
    http::{Answer, SourceError, Verdict, answer::short, graphql},
    wire::SecretString,
};

impl Reader<'_> {
    /// Explains a refusal by another host to which the API redirected. That host got no credential, so the credential
    /// is not at fault.
    fn turned_away(&self, answer: &Answer) -> Option<Failure> {
        let origin = |url: &Url| url.origin().ascii_serialization();
        let from = self.call.url.as_ref().map(origin).ok()?;
        let to = origin(answer.url());
        if from == to || self.call.api.is_own(answer.url()) {
            return None;
        }
        let error = SourceError::TurnedAway {
            from,
            to,
            status: answer.status(),
            at: self.at(),
        };
        Some(Failure::new(error, Again::Never))
    }

    /// Checks whether an answer has the requested form.
    pub(super) fn judge(&self, answer: &Answer) -> Result<(), Failure> {
        let verdict = match &self.call.api.settings().refusals {
            Some(judge) => judge(answer),
            None => Verdict::by_status(answer),
        };
        let errors = || graphql::judge(answer).filter(|_| self.call.is_graphql);
        let verdict = match verdict {
            Verdict::Good => match errors() {
                Some(refused) => refused,
                None => return Ok(()),
            },
            Verdict::Unauthorized | Verdict::Forbidden | Verdict::NotFound => {
                match self.turned_away(answer) {
                    Some(failure) => return Err(failure),
                    None => verdict,
                }
            }
            refused => refused,
        };
        let (status, at) = (answer.status(), self.at());
        let message = || self.clean(&answer.explanation());
        let (error, again) = match verdict {
            Verdict::Good => return Ok(()),
            Verdict::Busy => {
                let retry_after = None;
                (SourceError::Busy { retry_after, at }, Again::Busy)
            }
            Verdict::Unavailable => {
                let message = message();
                (
                    SourceError::Unavailable {
                        status,
                        message,
                        at,
                    },
                    Again::IfRepeatable,
                )
            }
            Verdict::Unauthorized => {
                let error = SourceError::Unauthorized {
                    setting: self.setting(),
                    message: message(),
                    at,
                };
                (error, Again::WithNewKey)
            }
            Verdict::Forbidden => {
                let scope = missing_scope(answer.headers());
                let message = message();
                (SourceError::Forbidden { scope, message, at }, Again::Never)
            }
            Verdict::NotFound => (SourceError::NotFound { at }, Again::Never),
            Verdict::Gone => (SourceError::Gone { at }, Again::Never),
            Verdict::Conflict => {
                let message = message();
                (SourceError::Conflict { message, at }, Again::Never)
            }
            Verdict::Refused(refusal) => {
                let code = refusal.code.map(|code| self.clean(&code));
                let message = self.clean(&refusal.message);
                (
                    SourceError::Refused {
                        status,
                        code,
                        message,
                        at,
                    },
                    Again::Never,
                )
            }
        };
        Err(Failure::new(error, again))
    }

    /// Returns the field of the credential that the call was made with.
    fn setting(&self) -> Option<String> {
        let secret = self.call.api.settings().auth.secret()?;
        let account = self.call.api.scope().account.as_ref()?;
        account.field_with(secret.expose())
    }

    /// Removes the secret from a message of the source.
    fn clean(&self, text: &str) -> String {
        let auth = &self.call.api.settings().auth;
        match auth.secret().map(SecretString::expose) {
            Some(secret) if !secret.is_empty() && text.contains(secret) => {
                short(&text.replace(secret, "[redacted]"))
            }
            _ => short(text),
        }
    }
}

/// Returns the scope in a 403's header `WWW-Authenticate: Bearer error="insufficient_scope", scope="…"` (RFC 6750).
fn missing_scope(headers: &HeaderMap) -> Option<String> {
    let challenge = headers.get("www-authenticate")?.to_str().ok()?;
    if !challenge.contains("insufficient_scope") {
        return None;
    }
    let (_, rest) = challenge.split_once("scope=\"")?;
    let (scope, _) = rest.split_once('"')?;
    (!scope.is_empty()).then(|| short(scope))
}
