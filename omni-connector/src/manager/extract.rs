//! Files whose text the manager extracts: which formats it reads, and how their bytes are sent.

use std::{fmt, fs::File, io, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream};
use reqwest::Body;
use tokio::task::spawn_blocking;

/// Bytes that are read from a file at once.
const CHUNK: usize = 256 << 10;

/// The largest file whose text the manager extracts, unless it is configured otherwise (`protocol.md` §1.3).
pub const EXTRACT_LIMIT: u64 = 50 << 20;

/// A file whose text the manager extracts.
#[derive(Debug, Clone)]
pub struct Extract {
    /// The bytes, at most [`EXTRACT_LIMIT`] unless the manager is configured otherwise.
    pub data: Data,
    /// Their MIME type; parameters such as `; charset=utf-8` are stripped, since the manager compares exactly.
    pub mime_type: String,
    /// The file's name, whose extension decides for `application/octet-stream`.
    pub filename: Option<String>,
}

/// The bytes of a file: in memory, or in a file that is read while it is sent.
#[derive(Clone)]
pub struct Data(Kind);

#[derive(Clone)]
enum Kind {
    Bytes(Bytes),
    File { open: Arc<Open>, length: u64 },
}

type Open = dyn Fn() -> io::Result<File> + Send + Sync;

impl Data {
    /// Takes the bytes from a file of this length, which `open` opens at its beginning, once for every attempt.
    ///
    /// ```
    /// use std::fs::File;
    ///
    /// use omni_connector::manager::Data;
    ///
    /// # fn example(path: std::path::PathBuf) -> std::io::Result<()> {
    /// let length = path.metadata()?.len();
    /// let data = Data::file(length, move || File::open(&path));
    /// # let _ = data;
    /// # Ok(())
    /// # }
    /// ```
    pub fn file(length: u64, open: impl Fn() -> io::Result<File> + Send + Sync + 'static) -> Self {
        Self(Kind::File {
            open: Arc::new(open),
            length,
        })
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Kind::Bytes(bytes) => bytes.len() as u64,
            Kind::File { length, .. } => *length,
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that are in memory.
    pub(crate) fn in_memory(&self) -> Option<&Bytes> {
        match &self.0 {
            Kind::Bytes(bytes) => Some(bytes),
            Kind::File { .. } => None,
        }
    }

    pub(super) fn body(&self) -> Body {
        match &self.0 {
            Kind::Bytes(bytes) => bytes.clone().into(),
            Kind::File { open, length } => Body::wrap_stream(read(Arc::clone(open), *length)),
        }
    }
}

/// The bytes of a file as they are asked for. A file of another length by now is an error, and never half a document.
fn read(open: Arc<Open>, length: u64) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::try_unfold((None, length), move |(file, left)| {
        let open = Arc::clone(&open);
        async move {
            if left == 0 {
                return Ok(None);
            }
            let reading = spawn_blocking(move || {
                use io::Read;
                let mut file = match file {
                    Some(file) => file,
                    None => open()?,
                };
                let size = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
                let mut chunk = vec![0; size];
                file.read_exact(&mut chunk)?;
                Ok::<_, io::Error>((file, chunk))
            });
            let (file, chunk) = reading.await.map_err(io::Error::other)??;
            let left = left - chunk.len() as u64;
            Ok(Some((Bytes::from(chunk), (Some(file), left))))
        }
    })
}

impl<T: Into<Bytes>> From<T> for Data {
    fn from(bytes: T) -> Self {
        Self(Kind::Bytes(bytes.into()))
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Data")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// The media type without parameters, in lower case, as the manager compares it.
pub(crate) fn plain(mime_type: &str) -> String {
    let plain = mime_type.split(';').next().unwrap_or_default();
    plain.trim().to_ascii_lowercase()
}

/// Whether Omni extracts a text from a file of this media type and name (`protocol.md` §3.5). The name decides only for
/// `application/octet-stream`.
///
/// ```
/// use omni_connector::manager::is_extractable;
///
/// assert!(is_extractable("application/pdf", "plan"));
/// assert!(is_extractable("application/octet-stream", "plan.docx"));
/// assert!(!is_extractable("image/png", "plan.pdf"));
/// ```
pub fn is_extractable(mime_type: &str, filename: &str) -> bool {
    match plain(mime_type).as_str() {
        "application/octet-stream" => {
            let extension = filename.rsplit('.').next().unwrap_or(filename);
            matches!(
                extension.to_ascii_lowercase().as_str(),
                "txt"
                    | "md"
                    | "markdown"
                    | "html"
                    | "htm"
                    | "csv"
                    | "pdf"
                    | "docx"
                    | "pptx"
                    | "xlsx"
                    | "xls"
                    | "eml"
                    | "msg"
            )
        }
        mime_type => matches!(
            mime_type,
            "text/plain"
                | "text/markdown"
                | "text/html"
                | "text/csv"
                | "application/pdf"
                | "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
                | "application/vnd.openxmlformats-officedocument.presentationml.presentation"
                | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
                | "application/vnd.ms-excel"
                | "message/rfc822"
                | "application/vnd.ms-outlook"
        ),
    }
}
