//! What an edit makes of the first messages of a replay, shown before the question.
//!
//! Limits: a saved plan names messages and does not hold them, so its run shows the counts only.

use super::context::Context;
use super::output::diff;
use crate::message::Message;
use crate::operation::masks::Masks;
use crate::operation::replay::Prepared;

/// Says the differences, with what the profile hides hidden.
pub(super) fn show(prepared: &Prepared, context: &Context<'_>) {
    let output = &context.output;
    if !output.talks() {
        return;
    }
    let masks = Masks::of(prepared.source(), context.places.config());
    let shown = |message: &Message| masks.shown(message).unwrap_or_else(|| message.clone());
    for sample in &prepared.samples {
        output.say(&diff::lines(&shown(&sample.before), &shown(&sample.after), output.talk_paint).join("\n"));
    }
}
