//! Sends the request of an attempt, and follows redirects.

use reqwest::{
    Client, Method, Request, Response, Url,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION, RANGE, USER_AGENT},
};

use super::{Again, Failure, HOPS, Reader};
use crate::http::{Auth, SourceError, call::Body, coding, path::shown, tape, transport};

impl Reader<'_> {
    /// Sends the request, and follows redirects.
    pub(super) async fn send(&self, auth: &Auth) -> Result<Response, Failure> {
        let call = self.call;
        let client = transport::client();
        let mut url = match &call.url {
            Ok(url) => url.clone(),
            Err(_) => return Err(self.unreadable("the call leads nowhere")),
        };
        let (mut method, mut body) = (call.method.clone(), Some(&call.body));
        for hop in 0.. {
            let is_own = call.api.is_own(&url);
            let request = self.request(client, &method, &url, body, is_own, auth)?;
            let response = tape::execute(client, request, call, self.limit)
                .await
                .map_err(|error| self.broken(error))?;
            let Some(next) = self.redirect(&response, &url, hop)? else {
                return Ok(response);
            };
            let status = response.status().as_u16();
            if status == 303 || (matches!(status, 301 | 302) && method == Method::POST) {
                if method != Method::HEAD {
                    method = Method::GET;
                }
                body = None;
            }
            let sends_body = body.is_some_and(|body| !matches!(body, Body::Empty));
            if sends_body && !call.api.is_own(&next) {
                // The redirected request may contain secrets meant for the API.
                let origin = next.origin().ascii_serialization();
                let error = SourceError::Foreign {
                    origin,
                    at: self.at(),
                };
                return Err(Failure::new(error, Again::Never));
            }
            url = next;
        }
        unreachable!("hops are counted")
    }

    fn request(
        &self,
        client: &Client,
        method: &Method,
        url: &Url,
        body: Option<&Body>,
        is_own: bool,
        auth: &Auth,
    ) -> Result<Request, Failure> {
        let call = self.call;
        let mut request = Request::new(method.clone(), url.clone());
        for headers in [&call.api.settings().headers, &call.headers] {
            for (name, value) in headers {
                // An author may put credentials into custom headers.
                let is_harmless = [ACCEPT, RANGE, USER_AGENT].contains(name);
                let is_of_body = *name == CONTENT_TYPE && body.is_none();
                if (is_own || is_harmless) && !is_of_body {
                    request.headers_mut().insert(name, value.clone());
                }
            }
        }
        // A range of a compressed file cannot be decompressed.
        let accepted = if request.headers().contains_key(RANGE) {
            "identity"
        } else {
            coding::ACCEPTED
        };
        let headers = request.headers_mut();
        headers
            .entry(ACCEPT_ENCODING)
            .or_insert(HeaderValue::from_static(accepted));
        match body {
            None | Some(Body::Empty) => {}
            Some(Body::Json(value)) => *request.body_mut() = Some(value.to_string().into()),
            Some(Body::Bytes(bytes)) => *request.body_mut() = Some(bytes.clone().into()),
            Some(Body::Once(form)) => {
                let form = form.lock().ok().and_then(|mut form| form.take());
                let Some(form) = form else {
                    return Err(self.unreadable("its form was sent before"));
                };
                let builder = reqwest::RequestBuilder::from_parts(client.clone(), request);
                request = builder
                    .multipart(form)
                    .build()
                    .map_err(|error| self.broken(error))?;
            }
        }
        if is_own {
            request = auth
                .apply(client, request)
                .map_err(|error| self.broken(error))?;
        }
        Ok(request)
    }

    /// Returns the target of a redirect; none if the answer is not one.
    fn redirect(&self, response: &Response, from: &Url, hop: u32) -> Result<Option<Url>, Failure> {
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(location) = response.headers().get(LOCATION) else {
            return Ok(None);
        };
        if hop >= HOPS {
            return Err(self.unreadable(format!("it is the redirect after {HOPS} others")));
        }
        let location = location
            .to_str()
            .ok()
            .and_then(|location| from.join(location).ok());
        let next =
            location.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(next) = next else {
            return Err(self.unreadable("it is a redirect that leads nowhere"));
        };
        if from.scheme() == "https" && next.scheme() == "http" {
            let why = format!("it is a redirect from https to `{}`", shown(&next));
            return Err(self.unreadable(why));
        }
        Ok(Some(next))
    }
}
