//! Zip archives with stored members and no dates: the same files give the same bytes (APPNOTE 6.3.10, sections 4.3.7 to
//! 4.3.16). Reads what it writes, and archives of other tools that store or deflate.
//!
//! Not promised: archives beyond 4 GiB or 65,535 members, encryption, dates (1980-01-01 stands in their place).

use crate::fault::{Fault, config};
use flate2::Crc;
use std::collections::BTreeMap;
use std::io::Read;

/// Names with `/`, and bytes.
pub type Members = BTreeMap<String, Vec<u8>>;

/// 1980-01-01, the first day that the format knows.
const DAY: u16 = 0x21;
/// The most that a member may unpack to: bundles are megabytes, and an archive from elsewhere must not fill the memory.
const LARGEST: u64 = 1 << 30;

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The bytes of an archive, members in the order of their names.
///
/// # Errors
/// If it would be larger than the format's 32 bits can say.
pub fn write(members: &Members) -> Result<Vec<u8>, Fault> {
    let large = |_| config("the archive would be larger than 4 GiB; export fewer units");
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let offset = u32::try_from(out.len()).map_err(large)?;
        let size = u32::try_from(bytes.len()).map_err(large)?;
        let length = u16::try_from(name.len()).map_err(large)?;
        let mut common = Vec::new();
        // Version 2.0, names in UTF-8, stored, no time, the first day.
        for field in [20_u16, 0x800, 0, 0, DAY] {
            common.extend(field.to_le_bytes());
        }
        for field in [crc(bytes), size, size] {
            common.extend(field.to_le_bytes());
        }
        common.extend(length.to_le_bytes());
        common.extend(0_u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(bytes);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(members.len()).map_err(large)?;
    let offset = u32::try_from(out.len()).map_err(large)?;
    let size = u32::try_from(directory.len()).map_err(large)?;
    out.extend(directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    for field in [count, count] {
        out.extend(field.to_le_bytes());
    }
    for field in [size, offset] {
        out.extend(field.to_le_bytes());
    }
    out.extend([0; 2]);
    Ok(out)
}

/// The members of an archive; directories are left out.
///
/// # Errors
/// If it is no archive, is cut off, or a member does not have the sum that it says.
pub fn read(bytes: &[u8]) -> Result<Members, Fault> {
    let broken = || config("not a zip archive, or a damaged one; fetch it again");
    let number = |at: usize, width: usize| -> Result<usize, Fault> {
        let field = bytes.get(at..at + width).ok_or_else(broken)?;
        Ok(field.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    };
    // The end record stands last, before a comment of at most 65,535 bytes.
    let first = bytes.len().saturating_sub(22 + 65_535);
    let end =
        (first..bytes.len().saturating_sub(21)).rev().find(|at| bytes[*at..].starts_with(b"PK\x05\x06"));
    let end = end.ok_or_else(broken)?;
    let (count, mut at) = (number(end + 10, 2)?, number(end + 16, 4)?);
    let mut members = Members::new();
    for _ in 0..count {
        if !bytes.get(at..).is_some_and(|rest| rest.starts_with(b"PK\x01\x02")) {
            return Err(broken());
        }
        let (method, sum) = (number(at + 10, 2)?, number(at + 16, 4)?);
        let (packed, size) = (number(at + 20, 4)?, number(at + 24, 4)?);
        let (length, extra, comment) = (number(at + 28, 2)?, number(at + 30, 2)?, number(at + 32, 2)?);
        let local = number(at + 42, 4)?;
        let name = bytes.get(at + 46..at + 46 + length).ok_or_else(broken)?;
        let name = std::str::from_utf8(name).map_err(|_| broken())?.to_owned();
        at += 46 + length + extra + comment;
        if name.ends_with('/') {
            continue;
        }
        if name.starts_with('/') || name.contains('\\') || name.split('/').any(|part| part == "..") {
            return Err(config(format!("`{name}` would lie outside the archive; do not trust this file")));
        }
        let start = local + 30 + number(local + 26, 2)? + number(local + 28, 2)?;
        let data = bytes.get(start..start + packed).ok_or_else(broken)?;
        let data = match method {
            0 => data.to_vec(),
            8 => {
                let mut unpacked = Vec::new();
                let mut reader = flate2::read::DeflateDecoder::new(data).take(LARGEST);
                reader.read_to_end(&mut unpacked).map_err(|_| broken())?;
                unpacked
            }
            other => {
                return Err(config(format!("`{name}` is packed by method {other}; store or deflate it")));
            }
        };
        if data.len() != size || crc(&data) as usize != sum {
            return Err(config(format!(
                "`{name}` does not have the sum that the archive says; fetch it again"
            )));
        }
        members.insert(name, data);
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members() -> Members {
        [("a/b.txt", b"hello".to_vec()), ("c", vec![]), ("d", vec![7; 70_000])]
            .map(|(name, bytes)| (name.to_owned(), bytes))
            .into()
    }

    #[test]
    fn what_is_written_is_read_back_and_twice_the_same() {
        let bytes = write(&members()).unwrap();
        assert_eq!(bytes, write(&members()).unwrap());
        assert_eq!(read(&bytes).unwrap(), members());
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let bytes = write(&members()).unwrap();
        for cut in [0, 3, 21, 40, bytes.len() - 1] {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..bytes.len().min(200) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x55;
            let _ = read(&changed);
        }
        let mut changed = bytes.clone();
        let at = bytes.windows(5).position(|window| window == b"hello").unwrap();
        changed[at] = b'j';
        assert!(read(&changed).unwrap_err().to_string().contains("a/b.txt"));
    }

    #[test]
    fn a_name_that_leads_out_is_refused() {
        let evil: Members = [("../x".to_owned(), vec![1])].into();
        assert!(read(&write(&evil).unwrap()).unwrap_err().to_string().contains("outside"));
    }
}
