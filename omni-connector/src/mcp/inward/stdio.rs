//! An MCP server as a child process: one message per line of bounded length. Other output in between is ignored.

use std::{
    io,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use rmcp::{
    RoleClient,
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{ChildStderr, ChildStdin, ChildStdout},
    sync::Mutex as AsyncMutex,
};

use super::message::{Pending, Received};

/// The longest line kept.
const LONGEST_LINE: usize = 64 << 20;

/// How much of a longer line is searched for the id.
const KEPT_OF_LONG: usize = 4096;

/// How long a child may take to exit by itself, and again after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(3);

/// The pipes of a child, and the child.
pub(super) struct Child {
    process: Option<Box<dyn ChildWrapper>>,
    output: BufReader<ChildStdout>,
    /// The line being read. A cancelled read resumes with it.
    line: Vec<u8>,
    is_too_long: bool,
    input: Arc<AsyncMutex<Option<ChildStdin>>>,
    pending: Arc<Mutex<Pending>>,
}

impl Child {
    /// Starts `command`.
    pub(super) fn start(mut command: CommandWrap) -> io::Result<(Self, Option<ChildStderr>)> {
        command
            .command_mut()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn()?;
        let pipes = process.inner_mut();
        let (input, output) = (pipes.stdin().take(), pipes.stdout().take());
        let errors = pipes.stderr().take();
        let missing = || io::Error::other("its standard input or output is not piped");
        let child = Self {
            output: BufReader::new(output.ok_or_else(missing)?),
            input: Arc::new(AsyncMutex::new(Some(input.ok_or_else(missing)?))),
            process: Some(process),
            line: Vec::new(),
            is_too_long: false,
            pending: Arc::default(),
        };
        Ok((child, errors))
    }

    /// Reads up to the end of a line; false at the end of the output. Cancel-safe: nothing is awaited between taking bytes
    /// and keeping them.
    async fn read_line(&mut self) -> io::Result<bool> {
        loop {
            let available = self.output.fill_buf().await?;
            if available.is_empty() {
                return Ok(false);
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            if self.is_too_long || self.line.len() + taken > LONGEST_LINE {
                self.is_too_long = true;
                self.line.truncate(KEPT_OF_LONG);
            } else {
                self.line.extend_from_slice(&available[..taken]);
            }
            self.output.consume(taken);
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

fn lock(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Transport<RoleClient> for Child {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        // Noted before sending: the answer may arrive before this future continues.
        lock(&self.pending).note(&message);
        let input = Arc::clone(&self.input);
        async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            let mut input = input.lock().await;
            let Some(pipe) = input.as_mut() else {
                return Err(io::ErrorKind::NotConnected.into());
            };
            pipe.write_all(&line).await?;
            pipe.flush().await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let further = lock(&self.pending).further();
            if further.is_some() {
                return further;
            }
            match self.read_line().await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    tracing::debug!(%error, "the output of an MCP server cannot be read");
                    return None;
                }
            }
            let message: Option<Received> = if std::mem::take(&mut self.is_too_long) {
                let reason = format!("it is longer than {} MB", LONGEST_LINE >> 20);
                lock(&self.pending).unreadable(&self.line, &reason)
            } else {
                lock(&self.pending).receive_line(&self.line)
            };
            self.line.clear();
            if message.is_some() {
                return message;
            }
        }
    }

    /// Closes the child's input, waits for its exit, and finally kills it.
    async fn close(&mut self) -> io::Result<()> {
        self.input.lock().await.take();
        let Some(child) = self.process.as_mut() else {
            return Ok(());
        };
        let mut has_ended = tokio::time::timeout(PATIENCE, child.wait()).await.is_ok();
        #[cfg(unix)]
        if !has_ended && child.signal(SIGTERM).is_ok() {
            has_ended = tokio::time::timeout(PATIENCE, child.wait()).await.is_ok();
        }
        if !has_ended {
            Box::into_pin(child.kill()).await?;
        }
        self.process = None;
        Ok(())
    }
}

#[cfg(unix)]
const SIGTERM: i32 = 15;

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            // Waited for as well, so that no zombie is left.
            tokio::spawn(async move { drop(Box::into_pin(child.kill()).await) });
        }
    }
}
