//! The request and the answer of a call for the development page, without their secrets.

use std::{
    collections::BTreeSet,
    sync::{LazyLock, Mutex, PoisonError},
};

use reqwest::header::{CONTENT_TYPE, SET_COOKIE};

use super::{
    Answered, Asked, Exchange, Recorded, place,
    recorder::{ANSWERED, clean, headers, query},
};
use crate::{
    http::{Answer, Call, call::Body},
    redact::{self, StandIns},
};

/// The longest answer whose secrets are looked for, in bytes.
const LONGEST: usize = 256 << 10;

/// A secret has the same stand-in in all exchanges of the process.
static STAND_INS: LazyLock<Mutex<StandIns>> = LazyLock::new(Mutex::default);

/// Returns the last request of a call, with its answer. None if the answer is too long.
pub(in crate::http) fn exchange(call: &Call, answer: &Answer) -> Option<Exchange> {
    let url = call.url.as_ref().ok()?;
    if answer.bytes().len() > LONGEST {
        return None;
    }
    if let Some(secret) = call.api.settings().auth.secret() {
        redact::note_secret(secret.expose());
    }
    let mut stand_ins = STAND_INS.lock().unwrap_or_else(PoisonError::into_inner);
    let stand_ins = &mut *stand_ins;
    stand_ins.set_answer(false);
    stand_ins.learn_met();
    // The URL of the answer has the parameters of the credential, unless it is the one of a redirect.
    let sent = Some(answer.url())
        .filter(|sent| sent.origin() == url.origin() && sent.path() == url.path());
    let (at, path) = place(call, url);
    let mut left_out = BTreeSet::new();
    let asked = Asked {
        method: call.method.to_string(),
        at: stand_ins.clean(&at),
        path: stand_ins.clean(&path),
        query: query(sent.unwrap_or(url), stand_ins),
        headers: headers(&call.headers, &Asked::HEADERS, stand_ins, &mut left_out),
        body: clean(body(call), stand_ins),
    };
    let operation = stand_ins.clean(&call.operation());
    stand_ins.set_answer(true);
    for cookie in answer.headers().get_all(SET_COOKIE) {
        stand_ins.learn_cookie(cookie.to_str().unwrap_or_default());
    }
    let received = Recorded::of(answer.bytes(), false);
    let answered = Answered {
        status: answer.status().as_u16(),
        headers: headers(answer.headers(), &ANSWERED, stand_ins, &mut left_out),
        body: clean(received, stand_ins),
    };
    Some(Exchange {
        operation,
        asked,
        answered,
    })
}

fn body(call: &Call) -> Recorded {
    match &call.body {
        Body::Empty => Recorded::Empty,
        Body::Json(value) => Recorded::of(value.to_string().as_bytes(), false),
        Body::Bytes(bytes) => {
            let media_type = call.headers.get(CONTENT_TYPE);
            let form = b"application/x-www-form-urlencoded";
            let is_form =
                media_type.is_some_and(|media_type| media_type.as_bytes().starts_with(form));
            Recorded::of(bytes, is_form)
        }
        Body::Once(_) => Recorded::Streamed,
    }
}
