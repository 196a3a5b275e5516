//! What an edit makes of the first messages of a replay, shown before the question.
//!
//! Limits: a saved plan names messages and does not hold them, so its run shows the counts only.

use super::context::Context;
use super::output::paint::Role;
use super::output::text::safe;
use crate::operation::edit::diff::Change;
use crate::operation::masks::Masks;
use crate::operation::replay::Prepared;

/// Says the differences, with what the profile hides hidden.
pub(super) fn show(prepared: &Prepared, context: &Context<'_>) {
    let output = &context.output;
    if !output.talks() {
        return;
    }
    let masks = Masks::of(prepared.source(), context.places.config());
    let paint = output.talk_paint;
    for sample in &prepared.samples {
        let sample = sample.masked(&masks);
        output.say(&paint.paint(Role::Heading, &format!("{} is going to change:", safe(&sample.before.id))));
        for (change, line) in sample.difference() {
            let role = match change {
                Change::Gone => Role::Bad,
                Change::New => Role::Good,
                Change::Same | Change::Gap => Role::Faint,
            };
            output.say(&paint.paint(role, &format!("  {} {}", change.sign(), safe(&line))));
        }
    }
}
