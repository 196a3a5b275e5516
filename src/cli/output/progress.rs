//! Progress on stderr, where that is a terminal: one bar below everything else.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::text::safe;
use super::{Output, human};
use crate::operation::control::OnTick;
use crate::operation::progress::{Stage, Tick};

/// Where an engine's progress goes; nowhere without a terminal or when told to be quiet.
pub(crate) fn on_tick(output: &Arc<Output>) -> Option<OnTick> {
    if !output.shows_progress() {
        return None;
    }
    let output = Arc::clone(output);
    let shown: Mutex<Option<(Stage, ProgressBar)>> = Mutex::new(None);
    Some(Arc::new(move |tick: Tick| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        if tick.last {
            *shown = None;
            output.set_bar(None);
            return;
        }
        if shown.as_ref().is_none_or(|(stage, _)| *stage != tick.stage) {
            let bar = bar(&tick);
            output.set_bar(Some(bar.clone()));
            *shown = Some((tick.stage, bar));
        }
        if let Some((_, bar)) = &*shown {
            bar.set_length(tick.total.unwrap_or(tick.done).max(tick.done));
            bar.set_position(tick.done);
            bar.set_message(message(&tick));
        }
    }))
}

fn bar(tick: &Tick) -> ProgressBar {
    let template = match tick.total {
        Some(_) => "{prefix} [{bar:24}] {human_pos}/{human_len} {msg}",
        None => "{prefix} {spinner} {human_pos} {msg}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(tick.total.unwrap_or(0)).with_style(style.progress_chars("=> "));
    bar.set_prefix(tick.stage.name());
    bar
}

/// The rate, the time left, and what is worth noting.
fn message(tick: &Tick) -> String {
    if let Some(why) = &tick.waits {
        return format!("waiting: {}", safe(why));
    }
    let mut parts = Vec::new();
    let rate = human::rate(tick.rate);
    if !rate.is_empty() {
        parts.push(format!("{rate}/s"));
    }
    if let Some(left) =
        tick.total.and_then(|total| total.checked_sub(tick.done)).filter(|left| *left > 0 && tick.rate > 0.0)
    {
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = Duration::try_from_secs_f64(left as f64 / tick.rate).unwrap_or(Duration::MAX);
        parts.push(format!("{} left", human::duration(seconds)));
    }
    if tick.noted > 0 {
        let word = if matches!(tick.stage, Stage::Scan | Stage::Read) { "match" } else { "not done" };
        parts.push(format!("{} {word}", human::count(tick.noted)));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_reads_as_rate_time_left_and_trouble() {
        let tick =
            Tick { stage: Stage::Replay, done: 400, total: Some(1000), noted: 2, rate: 20.0, waits: None, last: false };
        assert_eq!(message(&tick), "20/s, 30s left, 2 not done");
        let held = Tick { waits: Some("RabbitMQ blocks publishers: low on memory".into()), ..tick.clone() };
        assert_eq!(message(&held), "waiting: RabbitMQ blocks publishers: low on memory");
        let scan = Tick { stage: Stage::Scan, total: None, rate: 0.0, ..tick };
        assert_eq!(message(&scan), "2 match");
    }
}
