//! HTTP/1.1 over plain sockets, since an HTTP library refuses to send invalid answers.

use std::{collections::HashMap, io};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A completely read request.
#[derive(Debug, Clone)]
pub struct Call {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path with its query, as sent.
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    /// The body, `content-length` bytes long.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// All headers except the length.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Reads the next request of a connection, or returns `None` at its end. `buffer` holds bytes read
/// beyond the previous request.
///
/// # Errors
/// Fails on a broken connection, an invalid request, or a body of unknown length.
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

/// Writes an answer that announces its whole body but sends only the first `length` bytes of it.
///
/// # Errors
/// Fails with the error of the socket.
pub async fn write_answer(
    stream: &mut TcpStream,
    answer: &Answer,
    length: usize,
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Whatever\r\n", answer.status);
    // An answer without content has no length.
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
