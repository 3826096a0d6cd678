//! The `omni-readers` program: reads one file for one job, under limits of the operating system.
//! Must write nothing but frames.

use std::{
    io::{self, Read, Write},
    panic,
    process::ExitCode,
    thread,
};

use super::read;
use crate::{Frame, Job};

/// Stack size. Enough for readers that recurse into reasonable files; deeper recursion crashes the
/// process.
const STACK: usize = 64 << 20;

/// Reads a file from standard input and writes frames to standard output. `job` is a [`Job`] in
/// JSON.
pub fn main(job: Option<&str>) -> ExitCode {
    let Some(job) = job.and_then(|job| serde_json::from_str::<Job>(job).ok()) else {
        eprintln!("omni-readers is started by the development manager, with a job as its argument");
        return ExitCode::from(2);
    };
    if let Err(error) = limit(&job) {
        eprintln!("the limits of omni-readers cannot be set: {error}");
        return ExitCode::from(1);
    }
    // Panics are reported in frames.
    panic::set_hook(Box::new(|_| {}));
    let reader = thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || serve(&job));
    match reader.map(thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Ok(Err(error))) | Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        Ok(Err(_)) => ExitCode::FAILURE,
    }
}

fn serve(job: &Job) -> io::Result<()> {
    let mut data = Vec::new();
    io::stdin().lock().read_to_end(&mut data)?;
    let mut output = io::stdout().lock();
    let mut broken = None;
    read(job, &data, &mut |frame: Frame| {
        if broken.is_none() {
            broken = write(&mut output, &frame).err();
        }
    });
    broken.map_or(Ok(()), Err)
}

fn write(output: &mut impl Write, frame: &Frame) -> io::Result<()> {
    let mut line = serde_json::to_vec(frame)?;
    line.push(b'\n');
    output.write_all(&line)?;
    output.flush()
}

/// Limits address space and processor time, and forbids file creation and core dumps.
#[cfg(unix)]
fn limit(job: &Job) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    for (resource, most) in [
        (Resource::As, job.max_memory_bytes),
        (Resource::Cpu, job.max_seconds),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
    ] {
        let most = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, most)?;
    }
    Ok(())
}

/// On other systems only the manager's time limit ends a reader.
#[cfg(not(unix))]
fn limit(_: &Job) -> io::Result<()> {
    Ok(())
}
