//! The log on stderr, off unless asked for.
//!
//! Only postroom's own events are shown, whatever the filter says: those of client libraries may hold credentials.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::FilterExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, filter::filter_fn};

/// Starts the log for `-v` (how often) or the filter in `POSTROOM_LOG`.
pub(super) fn start(verbose: u8, filter: Option<&str>) {
    let level = match verbose {
        0 => None,
        1 => Some("postroom=info"),
        2 => Some("postroom=debug"),
        _ => Some("postroom=trace"),
    };
    let Some(directives) = filter.or(level) else { return };
    let own = filter_fn(|metadata| metadata.target().starts_with("postroom"));
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let filter = EnvFilter::builder().parse_lossy(directives).and(own);
    // A second start in one process keeps the first.
    _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}
