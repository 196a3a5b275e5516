//! Files and folders that only this user can read, put on disk as a whole where that matters.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

/// Opens a file to append to, as one that only its owner may read where it is made here; `new` where it has to be.
pub(crate) fn open(path: &Path, new: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).create_new(new);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder that only its owner can enter.
pub(crate) fn make_folder(path: &Path, with_parents: bool) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(with_parents);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Puts a folder's entries on disk, where folders can be opened.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Puts a file in the place of one that may be there: whoever reads it has the old text or the new one.
#[cfg(feature = "tui")]
pub(crate) fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    let new = path.with_extension(format!("new-{}", std::process::id()));
    // What a process of the same number left behind when it was killed.
    _ = fs::remove_file(&new);
    let put = || {
        let mut file = open(&new, true)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), sync_folder)
    };
    put().inspect_err(|_| _ = fs::remove_file(&new))
}
