//! Decompresses answers however their coding is written. Many servers send `x-gzip`, raw deflate data, several members, or
//! name a coding that they did not use.

use std::{error::Error, fmt, io::Write};

use axum::http;
use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status, write::GzDecoder};
use futures_util::{Stream, StreamExt, stream};
use reqwest::{
    Body, Response, ResponseBuilderExt,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap},
};

/// The codings that are asked for.
pub(super) const ACCEPTED: &str = "gzip, deflate";
/// Codings that nothing here reads.
const UNKNOWN: [&str; 6] = ["br", "compress", "dcb", "dcz", "x-compress", "zstd"];
/// The most codings of one answer.
const MOST_LAYERS: usize = 3;
/// Bytes that are decompressed at once: they can become a thousand times as many.
const STEP: usize = 4 << 10;
/// The most bytes that one step may become.
const MOST_OF_STEP: usize = 64 << 20;

/// Why an answer cannot be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// The data end too early.
    BreaksOff,
    /// The data are not in the coding that the answer names.
    Invalid,
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BreaksOff => "the compressed answer breaks off",
            Self::Invalid => "it cannot be decompressed",
        })
    }
}

impl Error for Undecodable {}

impl Undecodable {
    /// Finds the reason in an error of the client.
    pub(super) fn in_error(error: &reqwest::Error) -> Option<Self> {
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(*found);
            }
            cause = error.source();
        }
        None
    }
}

/// Returns the coding of an answer that nothing here reads.
pub(super) fn unknown(headers: &HeaderMap) -> Option<String> {
    let codings = codings(headers);
    let is_unknown = |coding: &String| UNKNOWN.contains(&coding.as_str());
    if codings.len() > MOST_LAYERS || codings.iter().any(is_unknown) {
        return Some(codings.join(", "));
    }
    None
}

/// Returns the codings of an answer in the order in which they were applied, without those that change nothing.
fn codings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(CONTENT_ENCODING);
    let mut all = Vec::new();
    for value in values {
        for coding in String::from_utf8_lossy(value.as_bytes()).split(',') {
            let coding = coding.trim().trim_matches('"').to_ascii_lowercase();
            // A charset or another word that is no coding stands here by mistake.
            let is_read = matches!(coding.as_str(), "gzip" | "x-gzip" | "deflate" | "x-deflate");
            if is_read || UNKNOWN.contains(&coding.as_str()) {
                all.push(coding);
            }
        }
    }
    all
}

/// Returns the answer with a plain body. One in a coding that nothing here reads stays as it is.
pub(super) fn decoded(response: Response) -> Response {
    if !response.headers().contains_key(CONTENT_ENCODING) || unknown(response.headers()).is_some() {
        return response;
    }
    let layers: Vec<_> = codings(response.headers())
        .iter()
        .rev()
        .map(|coding| Layer::Start {
            is_deflate: coding.ends_with("deflate"),
            head: Vec::new(),
        })
        .collect();
    let mut plain = http::Response::builder()
        .status(response.status())
        .version(response.version())
        .url(response.url().clone());
    if let Some(headers) = plain.headers_mut() {
        headers.clone_from(response.headers());
        headers.remove(CONTENT_ENCODING);
        if !layers.is_empty() {
            headers.remove(CONTENT_LENGTH);
        }
    }
    let body = if layers.is_empty() {
        Body::from(response)
    } else {
        Body::wrap_stream(plain_chunks(response.bytes_stream(), layers))
    };
    let plain = plain.body(body);
    plain.expect("the parts of an answer make an answer").into()
}

type Failed = Box<dyn Error + Send + Sync>;

/// The chunks of an answer that is being decompressed.
struct Chunks<S> {
    coded: S,
    layers: Vec<Layer>,
    left: Bytes,
    is_over: bool,
}

fn plain_chunks(
    coded: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
    layers: Vec<Layer>,
) -> impl Stream<Item = Result<Bytes, Failed>> + Send {
    let chunks = Chunks {
        coded: coded.boxed(),
        layers,
        left: Bytes::new(),
        is_over: false,
    };
    stream::try_unfold(chunks, async |mut chunks| {
        loop {
            if chunks.is_over {
                return Ok(None);
            }
            let plain = if chunks.left.is_empty() {
                match chunks.coded.next().await {
                    Some(chunk) => {
                        chunks.left = chunk?;
                        continue;
                    }
                    None => {
                        chunks.is_over = true;
                        end(&mut chunks.layers)?
                    }
                }
            } else {
                let step = chunks.left.split_to(chunks.left.len().min(STEP));
                push(&mut chunks.layers, &step)?
            };
            if !plain.is_empty() {
                return Ok(Some((Bytes::from(plain), chunks)));
            }
        }
    })
}

fn push(layers: &mut [Layer], data: &[u8]) -> Result<Vec<u8>, Undecodable> {
    let Some((layer, others)) = layers.split_first_mut() else {
        return Ok(data.to_vec());
    };
    let mut plain = Vec::new();
    layer.push(data, &mut plain)?;
    passed_on(others, plain)
}

/// Passes data on to further layers, in steps.
fn passed_on(layers: &mut [Layer], data: Vec<u8>) -> Result<Vec<u8>, Undecodable> {
    if layers.is_empty() {
        return Ok(data);
    }
    let mut plain = Vec::new();
    for step in data.chunks(STEP) {
        plain.extend(push(layers, step)?);
        if plain.len() > MOST_OF_STEP {
            return Err(Undecodable::Invalid);
        }
    }
    Ok(plain)
}

/// Ends all layers, and returns what they still held.
fn end(layers: &mut [Layer]) -> Result<Vec<u8>, Undecodable> {
    let Some((layer, others)) = layers.split_first_mut() else {
        return Ok(Vec::new());
    };
    let mut held = Vec::new();
    layer.end(&mut held)?;
    let mut plain = passed_on(others, held)?;
    plain.extend(end(others)?);
    Ok(plain)
}

/// One coding of an answer, known by its first bytes.
enum Layer {
    Start {
        is_deflate: bool,
        head: Vec<u8>,
    },
    Gzip(Box<GzDecoder<Vec<u8>>>),
    /// After a member of gzip data: another one, or bytes without a meaning.
    Between(Vec<u8>),
    Deflate(Decompress),
    /// The coding was named, and not used.
    Plain,
    Over,
}

/// The first bytes of gzip data.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Returns whether the bytes are the header of zlib data (RFC 1950). Others are raw deflate data.
fn is_zlib(head: [u8; 2]) -> bool {
    head[0] & 0x0f == 8 && head[0] >> 4 <= 7 && u16::from_be_bytes(head).is_multiple_of(31)
}

/// Returns whether a body that begins with this byte may be JSON or a page: a proxy has decompressed it before.
fn is_text(first: u8) -> bool {
    b"{[\"<".contains(&first) || first.is_ascii_whitespace()
}

impl Layer {
    fn push(&mut self, mut data: &[u8], plain: &mut Vec<u8>) -> Result<(), Undecodable> {
        while !data.is_empty() {
            match self {
                Self::Start { head, .. } | Self::Between(head) => {
                    let missing = 2 - head.len();
                    let (first, rest) = data.split_at(missing.min(data.len()));
                    head.extend(first);
                    data = rest;
                    if let [first, second] = head[..] {
                        let before = self.begin([first, second])?;
                        self.push(&before, plain)?;
                    }
                }
                Self::Gzip(gzip) => {
                    let read = gzip.write(data).map_err(|_| Undecodable::Invalid)?;
                    plain.append(gzip.get_mut());
                    if read == 0 {
                        finish(gzip, plain)?;
                        *self = Self::Between(Vec::new());
                    }
                    data = &data[read..];
                }
                Self::Deflate(deflate) => {
                    let before = deflate.total_in();
                    plain.reserve(STEP.max(data.len() * 4));
                    let status = deflate
                        .decompress_vec(data, plain, FlushDecompress::None)
                        .map_err(|_| Undecodable::Invalid)?;
                    let read = usize::try_from(deflate.total_in() - before);
                    data = &data[read.unwrap_or_default().min(data.len())..];
                    if status == Status::StreamEnd {
                        *self = Self::Over;
                    }
                }
                Self::Plain => {
                    plain.extend(data);
                    return Ok(());
                }
                // Some servers pad the end.
                Self::Over => return Ok(()),
            }
        }
        Ok(())
    }

    /// Chooses the coding by the first bytes, and returns those that belong to the data.
    fn begin(&mut self, head: [u8; 2]) -> Result<Vec<u8>, Undecodable> {
        *self = match self {
            _ if head == GZIP => Self::Gzip(Box::new(GzDecoder::new(Vec::new()))),
            Self::Start {
                is_deflate: true, ..
            } => Self::Deflate(Decompress::new(is_zlib(head))),
            Self::Start { .. } if is_text(head[0]) => Self::Plain,
            Self::Start { .. } => return Err(Undecodable::Invalid),
            _ => Self::Over,
        };
        Ok(head.to_vec())
    }

    fn end(&mut self, plain: &mut Vec<u8>) -> Result<(), Undecodable> {
        match self {
            Self::Gzip(gzip) => {
                // A member that is complete takes no further byte.
                let is_complete = matches!(gzip.write(&[0]), Ok(0));
                if !is_complete {
                    return Err(Undecodable::BreaksOff);
                }
                finish(gzip, plain)?;
            }
            Self::Deflate(deflate) => {
                plain.reserve(STEP);
                match deflate.decompress_vec(&[], plain, FlushDecompress::Finish) {
                    Ok(Status::StreamEnd) => {}
                    _ => return Err(Undecodable::BreaksOff),
                }
            }
            Self::Start { is_deflate, head } => match head[..] {
                [] => {}
                [first] if !*is_deflate && is_text(first) => plain.append(head),
                [first] if *is_deflate || first == GZIP[0] => return Err(Undecodable::BreaksOff),
                _ => return Err(Undecodable::Invalid),
            },
            Self::Between(_) | Self::Plain | Self::Over => {}
        }
        Ok(())
    }
}

/// Ends a member of gzip data, and compares its checksum.
fn finish(gzip: &mut GzDecoder<Vec<u8>>, plain: &mut Vec<u8>) -> Result<(), Undecodable> {
    gzip.try_finish().map_err(|_| Undecodable::Invalid)?;
    plain.append(gzip.get_mut());
    Ok(())
}
