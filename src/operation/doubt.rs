//! Messages that may have been sent: whether their copies arrived, by the replay ids in their targets.
//!
//! A copy that is there is there, whoever lost the answer: its message is noted as confirmed, and is not sent once more.
//! A copy that is not there proves little (it may be consumed, or be on its way still), so such a message is sent again
//! only where that is asked for, and is told as one that may be there twice. Limits: a target is looked at where a look
//! costs nothing; where it has a price, only if it is asked for and harms nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::control::Control;
use super::journal::Opened;
use super::journal::record::{Record, ranges};
use super::journal::state::Stage;
use super::verify::Places;
use crate::error::Result;
use crate::text::human;

/// Looks for the copies of messages that may have been sent, and notes those that are there. With `again` the others, whose
/// answer was lost, are taken up by the resume. What was found, for the report.
///
/// # Errors
/// What the journal's disk says; what a broker says is a part of what was found.
pub(super) async fn settle(
    opened: &mut Opened,
    places: impl AsyncFnOnce() -> Places,
    again: bool,
    control: &Control,
) -> Result<Vec<String>> {
    let Opened { head, state, writer, .. } = opened;
    let open: BTreeMap<u64, bool> = state
        .entries()
        .filter_map(|(seq, entry)| match entry.stage {
            Stage::Intended => Some((seq, false)),
            Stage::Ambiguous(_) => Some((seq, true)),
            _ => None,
        })
        .filter(|(_, lost)| again || !lost)
        .collect();
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let (there, mut notes) = places().await.copies_of(&head.id, again, control).await;
    let found: BTreeSet<u64> = open.keys().copied().filter(|seq| there.contains(seq)).collect();
    if !found.is_empty() {
        let done = ranges(found.iter().copied());
        let record = Record::Confirm { done, failed: Vec::new(), ambiguous: Vec::new(), unsent: Vec::new() };
        writer.durable(&record).await?;
        state.apply(record);
        let (of, are) = (human::count(found.len() as u64), if found.len() == 1 { "is" } else { "are" });
        let all = human::messages(open.len() as u64);
        notes.insert(0, format!("{of} of {all} that may have been sent {are} in the target: not sent again"));
    }
    let lost = open.iter().filter(|(seq, lost)| **lost && !found.contains(seq));
    state.take_up(lost.map(|(seq, _)| *seq));
    Ok(notes)
}
