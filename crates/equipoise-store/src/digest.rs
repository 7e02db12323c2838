//! One hash for the content of a directory: BLAKE3 over sorted names, lengths and bytes. Dates and permissions do not enter.

use crate::StoreError;
use crate::atomic::is_temporary;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The files below `directory`, as relative names with `/`, in byte order, without temporary files and excluded ones.
///
/// An excluded name without a slash stands for every file or directory of that name at any depth; one with a slash for that
/// one path and everything below it.
pub(crate) fn list_files(directory: &Path, exclude: &[&str]) -> Result<Vec<String>, StoreError> {
    let mut files = Vec::new();
    let mut open: Vec<(PathBuf, String)> = vec![(directory.to_path_buf(), String::new())];
    while let Some((place, prefix)) = open.pop() {
        let entries = fs::read_dir(&place).map_err(StoreError::io(&place, "list the directory"))?;
        for entry in entries {
            let entry = entry.map_err(StoreError::io(&place, "list the directory"))?;
            let strange = |why| StoreError::Strange { path: entry.path(), why };
            let name = entry.file_name().into_string().map_err(|_| strange("the name is not UTF-8"))?;
            let path = format!("{prefix}{name}");
            if is_temporary(&name)
                || exclude.iter().any(|&out| out == name || out.trim_end_matches('/') == path)
            {
                continue;
            }
            if name.contains(['\n', '\r', '\\']) {
                return Err(strange("a list of sums cannot hold the name"));
            }
            let kind = entry.file_type().map_err(StoreError::io(&entry.path(), "look at the file"))?;
            if kind.is_dir() {
                open.push((entry.path(), format!("{path}/")));
            } else if kind.is_file() {
                files.push(path);
            } else {
                return Err(strange("neither a file nor a directory"));
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Feeds the bytes of a file to `sink`; the number of bytes.
pub(crate) fn feed(path: &Path, mut sink: impl FnMut(&[u8])) -> Result<u64, StoreError> {
    let mut file = File::open(path).map_err(StoreError::io(path, "open the file"))?;
    let mut buffer = vec![0_u8; 1 << 16];
    let mut total = 0;
    loop {
        let got = file.read(&mut buffer).map_err(StoreError::io(path, "read the file"))?;
        if got == 0 {
            return Ok(total);
        }
        sink(&buffer[..got]);
        total += got as u64;
    }
}

/// BLAKE3 of the content of `directory` without the files that `exclude` names (see below), 64 hexadecimal digits.
///
/// An excluded name without a slash stands for every file or directory of that name at any depth (`timings.json`); one with a
/// slash for that one path and everything below it (`units/3f/checkpoint`).
///
/// # Errors
/// If something cannot be read, or is neither a file nor a directory.
pub fn digest_files(directory: &Path, exclude: &[&str]) -> Result<String, StoreError> {
    let names = list_files(directory, exclude)?;
    let mut contents = Vec::with_capacity(names.len());
    for name in &names {
        let mut content = blake3::Hasher::new();
        let bytes = feed(&directory.join(name), |bytes| {
            content.update(bytes);
        })?;
        contents.push((name.as_str(), bytes, *content.finalize().as_bytes()));
    }
    Ok(fold_digest(contents))
}

/// One hash over (name, length, BLAKE3 of the bytes).
pub(crate) fn fold_digest<'a>(files: impl IntoIterator<Item = (&'a str, u64, [u8; 32])>) -> String {
    let mut whole = blake3::Hasher::new();
    for (name, bytes, content) in files {
        whole.update(&(name.len() as u64).to_le_bytes());
        whole.update(name.as_bytes());
        whole.update(&bytes.to_le_bytes());
        whole.update(&content);
    }
    whole.finalize().to_hex().to_string()
}
