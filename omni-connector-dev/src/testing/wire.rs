//! HTTP/1.1 on plain sockets, since an HTTP server would refuse to misbehave.

use std::{collections::HashMap, io};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One call, read to its end.
#[derive(Debug, Clone)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// With its query, as it was sent.
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    /// The bytes, as many as `content-length` says.
    pub body: Vec<u8>,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// All of them but the length.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// The next call of a connection; none at its end. `buffer` holds what was read beyond the call before.
///
/// # Errors
/// A connection that breaks, bytes that are no call, a body of unknown length.
pub async fn read_call(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<Call>> {
    let end = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(buffer.drain(..end + 4).collect())?;
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = first.next().zip(first.next()).context("no request line")?;
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    if headers.contains_key("transfer-encoding") {
        bail!("the caller sends a body of unknown length");
    }
    let length: usize = headers.get("content-length").map_or(Ok(0), |n| n.parse())?;
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(Call {
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body: buffer.drain(..length).collect(),
    }))
}

/// Writes an answer that announces all of its body, and the first `length` bytes of it.
///
/// # Errors
/// Those of the socket.
pub async fn write_answer(
    stream: &mut TcpStream,
    answer: &Answer,
    length: usize,
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Whatever\r\n", answer.status);
    // An answer without content has no length either.
    if answer.status != 204 {
        head.extend(["content-length: ", &answer.body.len().to_string(), "\r\n"]);
    }
    for (name, value) in &answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&answer.body[..length]);
    stream.write_all(&bytes).await
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
