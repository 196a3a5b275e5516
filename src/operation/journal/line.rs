//! One line of a journal's log: a record and its checksum.
//!
//! `{"crc":"1a2b3c4d","rec":{…}}`, where the CRC-32 covers the bytes of `rec` as written.

use super::record::Record;
use crate::error::{Error, ErrorKind, Result};

const HEAD: &[u8] = b"{\"crc\":\"";
const MIDDLE: &[u8] = b"\",\"rec\":";
const TAIL: &[u8] = b"}\n";

/// Appends the record's line to `out`.
pub(super) fn write(record: &Record, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(HEAD);
    let crc = out.len();
    out.extend_from_slice(b"00000000");
    out.extend_from_slice(MIDDLE);
    let body = out.len();
    serde_json::to_writer(&mut *out, record)
        .map_err(|error| Error::new(ErrorKind::Unexpected, format!("can't write a journal record: {error}")))?;
    let sum = format!("{:08x}", crc32fast::hash(&out[body..]));
    out[crc..crc + 8].copy_from_slice(sum.as_bytes());
    out.extend_from_slice(TAIL);
    Ok(())
}

/// What a line says, byte for byte as it was written; `None` where it is damaged.
fn intact(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_suffix(b"\n")?.strip_prefix(HEAD)?;
    let (crc, rest) = rest.split_at_checked(8)?;
    let body = rest.strip_prefix(MIDDLE)?.strip_suffix(b"}")?;
    let sum = u32::from_str_radix(std::str::from_utf8(crc).ok()?, 16).ok()?;
    (crc32fast::hash(body) == sum).then_some(body)
}

/// Hands every record of this journal's log to `each`, and gives the length of the log's intact part. A damaged or
/// unfinished last line is what a kill leaves behind: nothing that it said was acted on, so it is as if it had not been
/// written.
///
/// # Errors
/// `Invalid`, naming the line, for damage before the last line. `Refused`, naming it, for a line that is whole and says
/// what this build does not know, be it the last: a newer one acted on it.
pub(super) fn read_log(journal: &str, log: &[u8], mut each: impl FnMut(Record)) -> Result<u64> {
    let mut length = 0;
    let mut bad: Option<usize> = None;
    for (index, line) in log.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if let Some(number) = bad {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("line {number} of the log of the journal {journal} is damaged"),
            )
            .hint("the lines before it can be read by hand; compare the source and the target before going on"));
        }
        let Some(body) = intact(line) else {
            bad = Some(index + 1);
            continue;
        };
        each(serde_json::from_slice(body).map_err(|error| {
            let line = index + 1;
            let what = format!(
                "line {line} of the log of the journal {journal} says what this postroom does not know: {error}"
            );
            Error::new(ErrorKind::Refused, what).hint("go on with it by the version of postroom that wrote it")
        })?);
        length += line.len() as u64;
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(records: &[Record]) -> Vec<u8> {
        let mut out = Vec::new();
        for record in records {
            write(record, &mut out).unwrap();
        }
        out
    }

    fn read_all(log: &[u8]) -> Result<(Vec<Record>, u64)> {
        let mut records = Vec::new();
        let intact = read_log("j1", log, |record| records.push(record))?;
        Ok((records, intact))
    }

    #[test]
    fn what_a_newer_build_wrote_is_refused_wherever_it_stands() {
        for body in
            [r#"{"stored":{"first":1,"messages":[],"offset":7,"thrice":[[1,2]]}}"#, r#"{"sealed":{}}"#, r#""sealed""#]
        {
            let line = format!("{{\"crc\":\"{:08x}\",\"rec\":{body}}}\n", crc32fast::hash(body.as_bytes()));
            for rest in [vec![], log(&records())] {
                let whole = [log(&records()), line.clone().into_bytes(), rest].concat();
                let error = read_all(&whole).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Refused);
                assert!(error.message().starts_with("line 4 of the log of the journal j1 says what this"), "{error}");
            }
        }
    }

    fn records() -> Vec<Record> {
        let removed = Record::Removed { done: vec![(1, 9)], failed: vec![(4, "gone \u{1b}[2J".into())], there: vec![] };
        vec![Record::End, removed, Record::End]
    }

    #[test]
    fn a_log_cut_anywhere_keeps_every_whole_line() {
        let (records, whole) = (records(), log(&records()));
        let ends: Vec<usize> = whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1).collect();
        for cut in 0..=whole.len() {
            let lines = ends.iter().filter(|end| **end <= cut).count();
            let (read, intact) = read_all(&whole[..cut]).unwrap();
            assert_eq!(read, records[..lines]);
            assert_eq!(intact, lines.checked_sub(1).map_or(0, |last| ends[last] as u64));
        }
    }

    #[test]
    fn damage_before_the_last_line_is_named_and_in_the_last_line_forgiven() {
        let whole = log(&records());
        let mut middle = whole.clone();
        let second = whole.iter().position(|b| *b == b'\n').unwrap() + 30;
        middle[second] ^= 1;
        assert!(read_all(&middle).unwrap_err().message().starts_with("line 2 "));
        let mut last = whole.clone();
        let place = whole.len() - 3;
        last[place] ^= 1;
        assert_eq!(read_all(&last).unwrap().0, records()[..2]);
    }
}
