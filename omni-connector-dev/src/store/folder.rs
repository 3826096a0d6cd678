//! Creates the folder of a store. It holds secrets, so only its owner may read it and git ignores
//! it. In a folder with other files, only the store's files are protected and ignored.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    path::Path,
};

/// The database file. SQLite gives its companion files the same permissions.
pub(super) const DATABASE: &str = "manager.sqlite3";
/// Prefixes of the names of the store's files.
const OURS: [&str; 5] = [
    DATABASE,
    "lock",
    "connector.log",
    "manager.json",
    ".gitignore",
];
const IGNORED: &str = "*\n";

/// Creates the folder if missing and denies access to other users.
///
/// # Errors
/// Fails with the error of the operating system.
pub fn prepare(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;

        builder.mode(0o700);
    }
    builder.create(folder)?;
    let mut is_ours = true;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !OURS.iter().any(|known| name.starts_with(known)) {
            is_ours = false;
        } else if name != ".gitignore" && entry.file_type()?.is_file() {
            close(&entry.path(), 0o600)?;
        }
    }
    let ignored = folder.join(".gitignore");
    let is_ours = is_ours && fs::read_to_string(&ignored).map_or(true, |text| text == IGNORED);
    if is_ours {
        close(folder, 0o700)?;
        fs::write(&ignored, IGNORED)?;
    }
    drop(private_file(&folder.join(DATABASE))?);
    Ok(())
}

/// Opens a file for writing, or creates it, readable by its owner only. Keeps its content.
///
/// # Errors
/// Fails with the error of the operating system.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        options.mode(0o600);
    }
    let file = options.open(path)?;
    close(path, 0o600)?;
    Ok(file)
}

#[cfg(unix)]
fn close(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = fs::metadata(path)?;
    if metadata.permissions().mode() & 0o777 == mode {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// On systems without file modes, a store is as private as the folder that contains it.
#[cfg(not(unix))]
fn close(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn open(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_store_belongs_to_one_person_also_when_its_folder_exists() {
        let desk = tempfile::tempdir().unwrap();
        let folder = desk.path().join("outer/.omni");
        prepare(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(DATABASE)), 0o600);

        fs::write(folder.join("manager.sqlite3-wal"), "").unwrap();
        // `cargo omni dev` leaves it behind when it is killed.
        fs::write(folder.join("manager.json"), "").unwrap();
        for (path, wide) in [
            ("", 0o755),
            (DATABASE, 0o644),
            ("manager.sqlite3-wal", 0o644),
        ] {
            open(&folder.join(path), wide);
        }
        prepare(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(DATABASE)), 0o600);
        assert_eq!(mode(&folder.join("manager.sqlite3-wal")), 0o600);
        assert_eq!(
            fs::read_to_string(folder.join(".gitignore")).unwrap(),
            "*\n"
        );
    }

    #[test]
    fn a_folder_with_other_things_keeps_its_mode_and_its_gitignore() {
        let desk = tempfile::tempdir().unwrap();
        for name in ["src", ".gitignore"] {
            let other = desk.path().join(name);
            let _ = fs::write(&other, "target\n");
            open(desk.path(), 0o755);
            prepare(desk.path()).unwrap();
            assert_eq!(mode(desk.path()), 0o755, "{name}");
            assert_eq!(mode(&desk.path().join(DATABASE)), 0o600);
            let ignored = fs::read_to_string(desk.path().join(".gitignore"));
            assert_ne!(ignored.unwrap_or_default(), "*\n", "{name}");
            fs::remove_file(other).unwrap();
        }
    }
}
