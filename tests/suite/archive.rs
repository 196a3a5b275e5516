//! Archives from outside: what is written is read, what is cut or damaged is named, what is not confirmed is not there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use postroom::broker::archive::{Archive, ArchiveWriter, Existing, SOURCE_ADDRESS, SOURCE_POSITION};
use postroom::broker::{Broker, BrowseOptions, Delivery, End, From, Intake, Target, Until};
use postroom::message::filter::Filter;
use postroom::message::jsonl::MAX_DEPTH;
use postroom::message::{Amqp, Fields, Message, Position, Value};
use postroom::{Error, ErrorKind};
use tempfile::TempDir;

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Everything that a browse delivers, and how it ended.
pub(crate) async fn browse(path: &Path, options: BrowseOptions) -> (Vec<Message>, Result<End, Error>) {
    let mut reader = Archive::new().browse(text(path), options).await.unwrap();
    let mut messages = Vec::new();
    let end = loop {
        match reader.next_batch(7).await {
            Ok(batch) => {
                assert!(batch.deliveries.len() <= 7);
                messages.extend(batch.deliveries.into_iter().map(|delivery| delivery.message));
                if let Some(end) = batch.end {
                    break Ok(end);
                }
            }
            Err(error) => break Err(error),
        }
    };
    assert_eq!(reader.progress().delivered, messages.len() as u64);
    reader.close().await.unwrap();
    (messages, end)
}

fn message(n: usize) -> Message {
    Message {
        address: "rabbit:orders.dlq".into(),
        id: format!("m-{n}"),
        position: Some(Position { partition: Some(2), offset: 40 + n as u64 }),
        payload: Some(Bytes::from(format!("{{\"order\":{n}}}"))),
        ..Message::default()
    }
}

fn messages(count: usize) -> Vec<Message> {
    (0..count).map(message).collect()
}

fn lines(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.position.unwrap().offset).collect()
}

/// A new archive, written with a commit after each part.
pub(crate) fn write(path: &Path, parts: &[&[Message]]) -> Vec<u64> {
    let mut writer = ArchiveWriter::create(path, Existing::Refuse).unwrap();
    parts
        .iter()
        .map(|part| {
            writer.append(*part).unwrap();
            writer.commit().unwrap()
        })
        .collect()
}

fn both_formats(folder: &TempDir) -> [PathBuf; 2] {
    ["a.jsonl", "a.jsonl.zst"].map(|name| folder.path().join(name))
}

#[tokio::test]
async fn messages_come_back_with_their_line_and_where_they_were_first() {
    let folder = TempDir::new().unwrap();
    let sent = messages(3000);
    for path in both_formats(&folder) {
        let ends = write(&path, &[&sent[..1], &sent[1..2000], &sent[2000..]]);
        assert_eq!(ends.last().copied(), Some(fs::metadata(&path).unwrap().len()));
        let (got, end) = browse(&path, BrowseOptions::default()).await;
        assert_eq!(end.unwrap(), End::Exhausted);
        assert_eq!(lines(&got), (1..=3000).collect::<Vec<u64>>());
        assert!(got.iter().zip(&sent).all(|(got, sent)| got.digest() == sent.digest() && got.id == sent.id));
        assert_eq!(&*got[0].address, format!("file:{}", text(&path)));
        assert_eq!(got[0].metadata.get_str(SOURCE_ADDRESS), Some("rabbit:orders.dlq"));
        assert_eq!(got[0].metadata.get_str(SOURCE_POSITION), Some("2:40"));

        // An archive of an archive still knows where the messages come from.
        let copy = folder.path().join("copy.jsonl");
        write(&copy, &[&got[..1]]);
        let (again, _) = browse(&copy, BrowseOptions::default()).await;
        assert_eq!(again[0].metadata, got[0].metadata);
        fs::remove_file(copy).unwrap();
    }
    assert!(fs::metadata(folder.path().join("a.jsonl.zst")).unwrap().len() < 100_000);
}

#[tokio::test]
async fn a_range_and_a_limit_are_kept() {
    let folder = TempDir::new().unwrap();
    for path in both_formats(&folder) {
        write(&path, &[&messages(50)]);
        let read = async |options| {
            let (got, end) = browse(&path, options).await;
            (lines(&got), end.unwrap())
        };
        let from = |from| BrowseOptions { from, ..BrowseOptions::default() };
        assert_eq!(read(from(From::Last(3))).await, (vec![48, 49, 50], End::Exhausted));
        assert_eq!(read(from(From::Last(99))).await.0.len(), 50);
        assert_eq!(read(from(From::Offset(49))).await, (vec![49, 50], End::Exhausted));
        assert_eq!(read(from(From::Offset(51))).await, (vec![], End::Exhausted));
        assert_eq!(read(from(From::End)).await, (vec![], End::Exhausted));
        let limited = BrowseOptions { limit: Some(10), ..from(From::Offset(5)) };
        assert_eq!(read(limited).await, ((5..15).collect(), End::Limit));
        let all = BrowseOptions { limit: Some(50), ..BrowseOptions::default() };
        assert_eq!(read(all).await.1, End::Exhausted);
        let until = BrowseOptions { until: Some(Until::Offset(8)), ..from(From::Offset(6)) };
        assert_eq!(read(until).await, (vec![6, 7], End::Exhausted));
    }
}

/// Keeps the lines it is given, by batch.
#[derive(Debug, Default)]
struct Lines(Mutex<BTreeMap<u64, Vec<u64>>>);

impl Intake for Lines {
    fn take(&self, batch: u64, deliveries: Vec<Delivery>) {
        let messages: Vec<Message> = deliveries.into_iter().map(|delivery| delivery.message).collect();
        self.0.lock().unwrap().entry(batch).or_default().extend(lines(&messages));
    }
}

/// The lines of a browse with an intake, in the order in which its batches were told to be whole, and how it ended.
async fn take_in(path: &Path, options: BrowseOptions) -> (Vec<u64>, Result<End, Error>) {
    let intake = Arc::new(Lines::default());
    let options = BrowseOptions { intake: Some(Arc::<Lines>::clone(&intake)), ..options };
    let mut reader = Archive::new().browse(text(path), options).await.unwrap();
    let mut taken = Vec::new();
    let end = loop {
        let batch = reader.next_batch(7).await;
        let whole = reader.progress().taken_in;
        let mut parts = intake.0.lock().unwrap();
        while let Some(part) = parts.first_entry().filter(|part| *part.key() < whole) {
            taken.extend(part.remove());
        }
        match batch {
            Ok(batch) => {
                assert!(batch.deliveries.is_empty());
                if let Some(end) = batch.end {
                    break Ok(end);
                }
            }
            Err(error) => break Err(error),
        }
    };
    assert_eq!(reader.progress().delivered, taken.len() as u64);
    (taken, end)
}

/// An archive of many blocks, which several threads scan at once.
#[tokio::test(flavor = "multi_thread")]
async fn an_intake_gets_what_a_browse_delivers_in_the_same_order() {
    const COUNT: u64 = 12_000;
    let folder = TempDir::new().unwrap();
    let filler = "x".repeat(2000);
    let payload = |n| Some(Bytes::from(format!("{{\"kind\":\"{}\",\"filler\":\"{filler}\"}}", n % 3)));
    let sent: Vec<Message> = (0..12_000).map(|n| Message { payload: payload(n), ..message(n) }).collect();
    for path in both_formats(&folder) {
        write(&path, &[&sent]);
        let (all, end) = take_in(&path, BrowseOptions::default()).await;
        assert_eq!(end.unwrap(), End::Exhausted);
        assert!(all.into_iter().eq(1..=COUNT));
        let options = || BrowseOptions {
            from: From::Offset(700),
            until: Some(Until::Offset(11_000)),
            prefilter: Some(Filter::parse("body.kind:2", Timestamp::UNIX_EPOCH).unwrap().prefilter()),
            ..BrowseOptions::default()
        };
        let (part, end) = take_in(&path, options()).await;
        assert_eq!(end.unwrap(), End::Exhausted);
        assert_eq!(part, lines(&browse(&path, options()).await.0));
        assert!(part.len() > 3000);
        // Which ones a limit lets through is known only in their order: they are delivered.
        let limit = BrowseOptions { limit: Some(9), intake: Some(Arc::new(Lines::default())), ..options() };
        assert_eq!(browse(&path, limit).await.0.len(), 9);
    }
    let damaged = folder.path().join("damaged.jsonl");
    let mut bytes = fs::read(folder.path().join("a.jsonl")).unwrap();
    let at = bytes.windows(8).position(|window| window == b"\"m-8000\"").unwrap();
    bytes[at] = b'*';
    fs::write(&damaged, bytes).unwrap();
    let (before, end) = take_in(&damaged, BrowseOptions::default()).await;
    assert!(before.into_iter().eq(1..=8000));
    assert!(end.unwrap_err().to_string().starts_with("line 8001 of "));
}

#[tokio::test]
async fn line_ends_of_others_are_tolerated_and_empty_lines_keep_their_number() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, "\n{\"payload\":\"one\"}\r\n\r\n  \n{\"payload\":\"two\",\"id\":\"m\"}").unwrap();
    let (got, end) = browse(&path, BrowseOptions::default()).await;
    assert_eq!(end.unwrap(), End::Exhausted);
    assert_eq!(lines(&got), [2, 5]);
    assert_eq!(got[0].id, got[0].content_id());
    assert!(got[0].id.starts_with("h-") && got[0].id.len() == 18);
    assert_eq!(got[1].id, "m");
    let info = Archive::new().describe(text(&path)).await.unwrap();
    assert_eq!((info.messages, info.kind.as_str()), (Some(2), "archive"));
    let (last, _) = browse(&path, BrowseOptions { from: From::Last(1), ..BrowseOptions::default() }).await;
    assert_eq!(lines(&last), [5]);
}

#[tokio::test]
async fn a_bad_line_is_named_after_the_lines_before_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, "{\"payload\":\"one\"}\n\n{\"payload\":{\"base64\":\"*\"}}\n{\"payload\":\"three\"}\n").unwrap();
    let (got, end) = browse(&path, BrowseOptions::default()).await;
    assert_eq!(lines(&got), [1]);
    let error = end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().starts_with("line 3 of "), "{error}");
    assert!(error.to_string().contains("field \"payload\""), "{error}");
    assert_eq!(error.context_pairs(), [("line", "3".to_owned())]);
    assert!(error.hint_text().is_some());

    // A range that ends before it never meets it.
    let options = BrowseOptions { until: Some(Until::Offset(3)), ..BrowseOptions::default() };
    assert_eq!(browse(&path, options).await.1.unwrap(), End::Exhausted);
    // Once told, a failed read does not turn into a finished one.
    let mut reader = Archive::new().browse(text(&path), BrowseOptions::default()).await.unwrap();
    assert_eq!(reader.next_batch(10).await.unwrap().deliveries.len(), 1);
    assert!(reader.next_batch(10).await.is_err());
    assert!(reader.next_batch(10).await.is_err());
}

#[tokio::test]
async fn damaged_and_cut_zstd_data_is_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.jsonl.zst");
    let sent = messages(20);
    let ends = write(&path, &[&sent[..10], &sent[10..]]);
    let whole = fs::read(&path).unwrap();

    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let (got, end) = browse(&path, BrowseOptions::default()).await;
    let error = end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(got.len() >= 10);
    assert!(error.to_string().starts_with(&format!("line {} of ", got.len() + 1)), "{error}");
    assert!(error.to_string().contains("cut"), "{error}");

    // The tail takes a count, which meets the same fault at the same line.
    let options = BrowseOptions { from: From::Last(1), ..BrowseOptions::default() };
    let (tail, end) = browse(&path, options).await;
    assert_eq!((tail.len(), end.unwrap_err().to_string()), (0, error.to_string()));

    let mut flipped = whole.clone();
    let spot = usize::try_from(ends[0]).unwrap() + 20;
    flipped[spot] ^= 0x55;
    fs::write(&path, &flipped).unwrap();
    let (got, end) = browse(&path, BrowseOptions::default()).await;
    assert_eq!(end.unwrap_err().kind(), ErrorKind::Invalid);
    assert!(got.len() >= 10);
}

#[tokio::test]
async fn another_compression_is_told_by_its_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.jsonl.gz");
    fs::write(&path, [0x1F, 0x8B, 8, 0, 0, 0]).unwrap();
    let error = browse(&path, BrowseOptions::default()).await.1.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("gzip") && error.hint_text().unwrap().contains("gunzip"), "{error:?}");
}

#[tokio::test]
async fn a_prefilter_only_passes_over_lines_that_cannot_match() {
    let folder = TempDir::new().unwrap();
    let mut sent = messages(5000);
    sent[17].payload = Some(Bytes::from_static(b"Needle as it is"));
    sent[4000].payload = Some(Bytes::from_static(b"\xFFNeedle in base64"));
    sent[4999].headers = Fields::from_iter([("h", "a Needle")]);
    let filter = Filter::parse("Needle", Timestamp::UNIX_EPOCH).unwrap();
    for path in both_formats(&folder) {
        write(&path, &[&sent]);
        let options = BrowseOptions { prefilter: Some(filter.prefilter()), ..BrowseOptions::default() };
        let mut reader = Archive::new().browse(text(&path), options).await.unwrap();
        let mut found = Vec::new();
        loop {
            let batch = reader.next_batch(100).await.unwrap();
            found.extend(batch.deliveries.iter().map(|delivery| delivery.message.position.unwrap().offset));
            if batch.end.is_some() {
                break;
            }
        }
        for line in [18, 4001, 5000] {
            assert!(found.contains(&line), "{found:?}");
        }
        assert!(found.len() < 10);
        assert_eq!((reader.progress().scanned, reader.progress().delivered), (5000, found.len() as u64));
    }
    // A line that is cut is told even where it can't match.
    let path = folder.path().join("cut.jsonl");
    write(&path, &[&sent]);
    let mut cut = fs::read(&path).unwrap();
    cut.truncate(cut.len() - 200);
    fs::write(&path, &cut).unwrap();
    let other = Filter::parse("Nowhere", Timestamp::UNIX_EPOCH).unwrap();
    let options = BrowseOptions { prefilter: Some(other.prefilter()), ..BrowseOptions::default() };
    let error = browse(&path, options).await.1.unwrap_err();
    assert!(error.to_string().starts_with("line 5000 of "), "{error}");
}

#[tokio::test]
async fn an_existing_archive_is_refused_or_appended_to_and_never_overwritten() {
    let folder = TempDir::new().unwrap();
    for path in both_formats(&folder) {
        write(&path, &[&messages(1)]);
        let before = fs::read(&path).unwrap();
        let error = ArchiveWriter::create(&path, Existing::Refuse).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.kind().exit(), 2);
        assert!(error.hint_text().is_some());
        assert_eq!(fs::read(&path).unwrap(), before);

        let mut writer = ArchiveWriter::create(&path, Existing::Append).unwrap();
        let locked = ArchiveWriter::create(&path, Existing::Append).unwrap_err();
        assert_eq!(locked.kind(), ErrorKind::Locked);
        writer.append(&messages(2)).unwrap();
        writer.commit().unwrap();
        assert_eq!(writer.messages(), 2);
        drop(writer);
        assert_eq!(browse(&path, BrowseOptions::default()).await.0.len(), 3);
    }
}

#[cfg(unix)]
#[test]
fn an_archive_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.jsonl");
    write(&path, &[]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_was_not_committed_is_not_there() {
    let folder = TempDir::new().unwrap();
    for path in both_formats(&folder) {
        let mut writer = ArchiveWriter::create(&path, Existing::Refuse).unwrap();
        writer.append(&messages(2)).unwrap();
        let confirmed = writer.commit().unwrap();
        // Enough to be written before a commit.
        let large = Message { payload: Some(Bytes::from(vec![0xFF; 9 << 20])), ..Message::default() };
        writer.append(&[large]).unwrap();
        assert_eq!(writer.messages(), 2);
        assert!(fs::metadata(&path).unwrap().len() > confirmed);
        drop(writer);
        assert_eq!(fs::metadata(&path).unwrap().len(), confirmed);
        let (got, end) = browse(&path, BrowseOptions::default()).await;
        assert_eq!((got.len(), end.unwrap()), (2, End::Exhausted));
    }
}

#[tokio::test]
async fn a_torn_rest_is_dropped_on_resume_and_lost_bytes_are_told() {
    let folder = TempDir::new().unwrap();
    for path in both_formats(&folder) {
        let confirmed = write(&path, &[&messages(5)])[0];
        let mut torn = fs::read(&path).unwrap();
        torn.extend_from_slice(b"{\"schema\":\"postr");
        fs::write(&path, &torn).unwrap();

        let mut writer = ArchiveWriter::create(&path, Existing::Append).unwrap();
        writer.truncate_to(confirmed).unwrap();
        assert_eq!(writer.offset(), confirmed);
        writer.append(&messages(1)).unwrap();
        assert!(writer.commit().unwrap() > confirmed);
        let error = writer.truncate_to(1 << 40).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        drop(writer);
        let (got, end) = browse(&path, BrowseOptions::default()).await;
        assert_eq!((got.len(), end.unwrap()), (6, End::Exhausted));
    }
}

#[test]
fn nothing_is_appended_to_a_file_of_another_kind() {
    let folder = TempDir::new().unwrap();
    let zstd = folder.path().join("a.jsonl.zst");
    write(&zstd, &[&messages(1)]);
    for (name, content) in [
        ("cut.jsonl", b"{\"payload\":\"a".to_vec()),
        ("plain.jsonl.zst", b"{\"payload\":\"a\"}\n".to_vec()),
        ("zstd.jsonl", fs::read(&zstd).unwrap()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, &content).unwrap();
        let mut writer = ArchiveWriter::create(&path, Existing::Append).unwrap();
        let error = writer.append(&messages(1)).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Invalid);
        drop(writer);
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_one_error_and_claims_nothing() {
    let mut writer = ArchiveWriter::create("/dev/full", Existing::Append).unwrap();
    writer.append(&messages(3)).unwrap();
    let error = writer.commit().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.hint_text().unwrap().contains("disk is full"), "{error:?}");
    assert_eq!(writer.messages(), 0);
    assert_eq!(writer.append(&messages(1)).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn places_that_cannot_be_written_are_told() {
    let folder = TempDir::new().unwrap();
    let error = ArchiveWriter::create(folder.path().join("no/such/a.jsonl"), Existing::Refuse).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = ArchiveWriter::create(folder.path(), Existing::Append).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let error = ArchiveWriter::create("-", Existing::Append).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_publisher_gives_receipts_for_what_is_in_the_file() {
    let folder = TempDir::new().unwrap();
    for path in both_formats(&folder) {
        let publisher = Archive::new().publisher(&Target::queue(text(&path))).await.unwrap();
        let deep = (0..=MAX_DEPTH).fold(Value::Null, |inner, _| Value::Amqp(Amqp::Array(vec![inner])));
        let deep = Message { headers: Fields::from_iter([("deep", deep)]), ..message(9) };
        let results = publisher.publish(&[message(0), deep, message(1)]).await;
        assert!(results[0].is_ok() && results[2].is_ok());
        assert_eq!(results[1].as_ref().unwrap_err().kind(), ErrorKind::Rejected);
        assert_eq!(publisher.publish(&[message(2)]).await.len(), 1);
        publisher.close().await.unwrap();
        publisher.close().await.unwrap();
        assert!(publisher.publish(&[message(3)]).await[0].is_err());
        let (got, _) = browse(&path, BrowseOptions::default()).await;
        assert_eq!(got.iter().map(|message| message.id.as_str()).collect::<Vec<_>>(), ["m-0", "m-1", "m-2"]);
    }
}

#[tokio::test]
async fn a_followed_archive_delivers_what_is_appended_until_it_is_cancelled() {
    let folder = TempDir::new().unwrap();
    for path in both_formats(&folder) {
        write(&path, &[&messages(2)]);
        let options = BrowseOptions { from: From::End, follow: true, ..BrowseOptions::default() };
        let cancel = options.cancel.clone();
        let mut reader = Archive::new().browse(text(&path), options).await.unwrap();
        let mut writer = ArchiveWriter::create(&path, Existing::Append).unwrap();
        for n in 3..5 {
            writer.append(&[message(n)]).unwrap();
            writer.commit().unwrap();
            let batch = tokio::time::timeout(Duration::from_secs(20), reader.next_batch(9)).await.unwrap().unwrap();
            assert_eq!(batch.deliveries.len(), 1);
            assert_eq!(batch.deliveries[0].message.position.unwrap().offset, n as u64);
        }
        // A file without a byte is opened at once, too.
        let empty = folder.path().join("empty");
        fs::write(&empty, b"").unwrap();
        let options = BrowseOptions { follow: true, cancel: cancel.clone(), ..BrowseOptions::default() };
        let mut nothing = Archive::new().browse(text(&empty), options).await.unwrap();
        cancel.cancel();
        assert_eq!(nothing.next_batch(9).await.unwrap().end, Some(End::Cancelled));
        let batch = reader.next_batch(9).await.unwrap();
        assert_eq!((batch.deliveries.len(), batch.end), (0, Some(End::Cancelled)));
        reader.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_an_archive_cannot_do_is_refused() {
    let folder = TempDir::new().unwrap();
    let archive = Archive::new();
    let kind = async |options| archive.browse("-", options).await.map(|_| ()).unwrap_err().kind();
    assert_eq!(kind(BrowseOptions { from: From::Last(1), ..BrowseOptions::default() }).await, ErrorKind::Unsupported);
    assert_eq!(kind(BrowseOptions { partition: Some(0), ..BrowseOptions::default() }).await, ErrorKind::Unsupported);
    assert_eq!(kind(BrowseOptions { follow: true, ..BrowseOptions::default() }).await, ErrorKind::Unsupported);
    let absent = folder.path().join("absent.jsonl");
    assert_eq!(archive.describe(text(&absent)).await.unwrap_err().kind(), ErrorKind::NotFound);
    let error = archive.browse(text(&absent), BrowseOptions::default()).await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = archive.describe(text(folder.path())).await.unwrap_err();
    assert!(error.to_string().contains("is a folder"), "{error}");
    assert!(archive.take("a", postroom::broker::TakeOptions::default()).await.is_err());
    assert!(archive.publisher(&Target::parse("exchange:x").unwrap()).await.is_err());
    // The name of a queue does not become a file.
    let queue = folder.path().join("orders");
    let error = archive.publisher(&Target::queue(text(&queue))).await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(!queue.exists());
}
