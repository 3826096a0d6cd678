//! Watches the tree by the operating system's notices. Where there are none, it scans the tree repeatedly.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream, stream::BoxStream};
use notify::{
    ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use omni_connector::prelude::*;
use tokio::{
    sync::mpsc,
    task::spawn_blocking,
    time::{interval, sleep},
};

/// Without notices, the shortest pause between scans.
const EVERY: Duration = Duration::from_secs(2);
/// A pause is at least this many times as long as a scan.
const SHARE: u64 = 20;

/// Changed paths. The stream fails when some may be missing.
pub(crate) type Notices = BoxStream<'static, Result<Option<PathBuf>>>;

/// Begins to watch the tree at `base`, or to scan it. `took` is the duration of a scan of the whole tree, in milliseconds.
/// Fails once another folder is at the base, of which it would hear nothing.
pub(crate) async fn notices(
    base: PathBuf,
    ctx: SyncContext,
    took: Arc<AtomicU64>,
) -> Result<Notices> {
    let watched = base.clone();
    let first = identity(&base).await;
    let listening = spawn_blocking(move || listen(&watched.canonicalize()?)).await?;
    let notices = match listening {
        Ok(notices) => notices,
        Err(cause) => {
            let reason = "without notices of the system, so it is looked at again and again";
            ctx.skip_with(base.to_string_lossy(), reason, format_args!("{cause:#}"));
            let looks = stream::unfold((base.clone(), took), |(base, took)| async move {
                sleep(EVERY.max(Duration::from_millis(took.load(Ordering::Relaxed) * SHARE))).await;
                Some((Ok(Some(base.clone())), (base, took)))
            });
            looks.boxed()
        }
    };
    let looks = interval(EVERY);
    let notices = stream::unfold(
        (notices, base, looks),
        move |(mut notices, base, mut looks)| async move {
            loop {
                tokio::select! {
                    notice = notices.next() => return Some((notice?, (notices, base, looks))),
                    _ = looks.tick() => if identity(&base).await != first {
                        let cause = anyhow!("another folder is at `{}` now", base.display());
                        return Some((Err(cause), (notices, base, looks)));
                    },
                }
            }
        },
    );
    Ok(notices.boxed())
}

/// Returns what tells a folder from another one under its name; none if there is no folder.
async fn identity(folder: &Path) -> Option<(u64, u64)> {
    let folder = folder.to_owned();
    let found = spawn_blocking(move || folder.metadata().ok()).await;
    let found = found.ok().flatten()?;
    Some((found.dev(), found.ino()))
}

fn listen(root: &Path) -> Result<Notices> {
    ensure!(
        sends_notices(root),
        "it is on a file system of another machine or process"
    );
    if let Some(mount) = mount_without_notices(root) {
        bail!(
            "`{}` in it is on a file system that sends no notices",
            mount.display()
        );
    }
    let (heard, notices) = mpsc::unbounded_channel();
    let handler = move |event| {
        // The watch ends when the receiver is dropped.
        for change in changes(event) {
            drop(heard.send(change));
        }
    };
    let config = notify::Config::default().with_follow_symlinks(false);
    let mut watcher = RecommendedWatcher::new(handler, config)?;
    watcher.watch(root, RecursiveMode::Recursive).context(
        "the tree cannot be watched; on Linux every folder needs one of `fs.inotify.max_user_watches`",
    )?;
    let notices = stream::unfold((notices, watcher), |(mut notices, watcher)| async {
        Some((notices.recv().await?, (notices, watcher)))
    });
    Ok(notices.boxed())
}

fn changes(event: notify::Result<Event>) -> Vec<Result<Option<PathBuf>>> {
    match event {
        Ok(event) if event.need_rescan() => vec![Err(anyhow!("notices of the system were lost"))],
        // Reading a file, as this connector does itself, is not a change.
        Ok(Event {
            kind: EventKind::Access(kind),
            ..
        }) if kind != AccessKind::Close(AccessMode::Write) => vec![],
        Ok(event) => event.paths.into_iter().map(|path| Ok(Some(path))).collect(),
        Err(error) => match &error.kind {
            // The folder vanished again, which has its own notice.
            ErrorKind::PathNotFound | ErrorKind::WatchNotFound => vec![],
            ErrorKind::Io(cause) if cause.kind() == io::ErrorKind::NotFound => vec![],
            _ => vec![Err(
                anyhow!(error).context("a part of the tree cannot be watched")
            )],
        },
    }
}

/// Returns whether the kernel sees every change. It does not on file systems that other machines or programs change.
#[cfg(target_os = "linux")]
fn sends_notices(root: &Path) -> bool {
    // NFS, SMB, CIFS and SMB2, FUSE, 9p, Ceph, AFS, proc and sysfs, from `linux/magic.h`; Coda, Lustre, GPFS, OCFS2, GFS2,
    // BeeGFS, OrangeFS, and the shared folders of VirtualBox, VMware and Parallels.
    const WITHOUT: [u32; 20] = [
        0x6969,
        0x517b,
        0xff53_4d42,
        0xfe53_4d42,
        0x6573_5546,
        0x0102_1997,
        0x00c3_6400,
        0x5346_414f,
        0x9fa0,
        0x6265_6572,
        0x7375_7245,
        0x0bd0_0bd0,
        0x4750_4653,
        0x7461_636f,
        0x0116_1970,
        0x1983_0326,
        0x2003_0528,
        0x786f_4256,
        0xbacb_acbc,
        0x7c7c_6673,
    ];
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a magic number has 32 bits"
    )]
    rustix::fs::statfs(root).map_or(true, |found| !WITHOUT.contains(&(found.f_type as u32)))
}

/// Returns a folder below the root whose file system sends no notices, although that of the root does.
#[cfg(target_os = "linux")]
fn mount_without_notices(root: &Path) -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    mounts_below(&mounts, root).find(|mount| !sends_notices(mount))
}

/// Returns the places below the root at which other file systems are mounted, from the kernel's table (`proc(5)`).
#[cfg(target_os = "linux")]
fn mounts_below(table: &str, root: &Path) -> impl Iterator<Item = PathBuf> {
    let places = table.lines().filter_map(|line| line.split(' ').nth(4));
    places
        .map(unescaped)
        .filter(move |place| place != root && place.starts_with(root))
}

/// Decodes a place of that table, in which a blank is `\040`.
#[cfg(target_os = "linux")]
fn unescaped(place: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;

    let mut bytes = Vec::with_capacity(place.len());
    let mut rest = place.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let digits = others.get(..3).filter(|_| *first == b'\\');
        let code =
            digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &others[3..] } else { others };
    }
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(target_os = "linux"))]
fn sends_notices(_: &Path) -> bool {
    true
}

#[cfg(not(target_os = "linux"))]
fn mount_without_notices(_: &Path) -> Option<PathBuf> {
    None
}

/// Returns the paths that are not below another one.
pub(crate) fn topmost(paths: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut topmost: Vec<PathBuf> = Vec::new();
    // In the order of paths, the contents of a folder follow it.
    for path in paths {
        if topmost.last().is_none_or(|above| !path.starts_with(above)) {
            topmost.push(path);
        }
    }
    topmost
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, Flag};

    use super::*;

    #[test]
    fn paths_below_another_path_are_dropped() {
        let paths = std::collections::BTreeSet::from(
            ["/t/a/b", "/t/a", "/t/a-b", "/t/c/d", "/t/a/z"].map(PathBuf::from),
        );
        assert_eq!(
            topmost(paths),
            ["/t/a", "/t/a-b", "/t/c/d"].map(PathBuf::from)
        );
    }

    #[test]
    fn reading_is_no_change_and_lost_notices_are_an_error() {
        for kind in [
            AccessKind::Read,
            AccessKind::Open(AccessMode::Any),
            AccessKind::Close(AccessMode::Read),
        ] {
            assert!(
                changes(Ok(
                    Event::new(EventKind::Access(kind)).add_path("/t/a".into())
                ))
                .is_empty()
            );
        }
        let created = Event::new(EventKind::Create(CreateKind::Any)).add_path("/t/b".into());
        assert!(matches!(&changes(Ok(created))[..], [Ok(Some(_))]));
        assert!(changes(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)))[0].is_err());
        assert!(changes(Err(notify::Error::new(ErrorKind::MaxFilesWatch)))[0].is_err());
        assert!(changes(Err(notify::Error::path_not_found())).is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_whose_changes_the_kernel_does_not_see_sends_no_notices() {
        assert!(!sends_notices(Path::new("/proc")));
        assert!(sends_notices(tempfile::tempdir().unwrap().path()));
        let below = mount_without_notices(Path::new("/"));
        assert!(
            below.is_some_and(|below| !sends_notices(&below)),
            "such as `/proc`"
        );
        assert_eq!(
            mount_without_notices(tempfile::tempdir().unwrap().path()),
            None
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn file_systems_in_a_tree_are_found_in_the_table_of_the_kernel() {
        let table = "\
            36 35 98:0 / /srv rw shared:1 - ext4 /dev/a rw\n\
            37 36 0:50 / /srv/team\\040files rw,noatime - nfs4 host:/x rw\n\
            38 36 0:51 / /srv/caf\u{e9}\\134x rw - cifs //host/x rw\n\
            39 35 0:52 / /srv-old rw - nfs4 host:/y rw\n\
            not a line\n";
        let below: Vec<_> = mounts_below(table, Path::new("/srv")).collect();
        assert_eq!(
            below,
            ["/srv/team files", "/srv/caf\u{e9}\\x"].map(PathBuf::from)
        );
    }
}
