//! Ports for processes that are started.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the ports that a system assigns to a request for any port (from 32768 on Linux, from 49152 elsewhere), so none of
/// them is taken between its choice and its use.
const PORTS: Range<u16> = 20_000..30_000;

/// Returns a free port that the system never assigns to a request for any port.
///
/// # Errors
/// Returns an error if no port is free.
#[cfg_attr(
    not(feature = "testing"),
    allow(unreachable_pub, reason = "`testing` has it, too")
)]
pub fn free_port() -> io::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.end - PORTS.start;
    // Consecutive processes start far apart.
    let [low, high, ..] = process::id().wrapping_mul(97).to_le_bytes();
    let start = u16::from_le_bytes([low, high]) % count;
    for _ in PORTS {
        let port = PORTS.start + (start + NEXT.fetch_add(1, Ordering::Relaxed) % count) % count;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        format!(
            "none of the ports {} to {} is free",
            PORTS.start,
            PORTS.end - 1
        ),
    ))
}
