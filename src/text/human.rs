//! Numbers, sizes and times as people say them.

use std::time::Duration;

use jiff::Timestamp;

/// `1204567` as `1,204,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 message`, `2 messages`.
pub(crate) fn messages(n: u64) -> String {
    plural(n, "message")
}

/// `1 queue`, `2,000 queues`.
pub(crate) fn plural(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// `142 B`, `3.4 kB`, `12 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    #[allow(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// Messages per second: `0.3`, `12`, `1,204`; nothing for an idle queue.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second < 0.05 {
        String::new()
    } else if per_second < 9.95 {
        format!("{per_second:.1}")
    } else {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and rates are small")]
        count(per_second.round() as u64)
    }
}

/// The largest unit of a duration: `45s`, `3m`, `5h`, `12d`.
pub(crate) fn duration(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3_600 => format!("{}m", seconds / 60),
        seconds @ 3_600..172_800 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// How long ago a time is; `now` for one that is not past.
pub(crate) fn age(time: Timestamp, now: Timestamp) -> String {
    Duration::try_from(now.duration_since(time)).map_or_else(|_| "now".to_owned(), duration)
}

/// Counts over time as bars, the largest full; `·` is none.
pub(crate) fn sparkline(counts: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |n: u64| {
        // Some is never shown as none.
        let eighths = usize::try_from((u128::from(n) * 8).div_ceil(u128::from(most))).unwrap_or(8);
        eighths.checked_sub(1).and_then(|at| BARS.get(at)).copied().unwrap_or('·')
    };
    counts.iter().map(|n| bar(*n)).collect()
}

/// A time in UTC, to the second.
pub(crate) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_tells_some_from_none() {
        assert_eq!(sparkline(&[0, 1, 50, 100, u64::MAX]), "·▁▁▁█");
        assert_eq!((sparkline(&[0, 0]).as_str(), sparkline(&[]).as_str()), ("··", ""));
    }

    #[test]
    fn numbers_read_as_people_say_them() {
        assert_eq!([0, 999, 1000, 1_204_567].map(count), ["0", "999", "1,000", "1,204,567"]);
        assert_eq!(
            [12, 999, 1000, 3_440, 9_960, 12_345_678].map(size),
            ["12 B", "999 B", "1.0 kB", "3.4 kB", "10 kB", "12 MB"]
        );
        assert_eq!([0.0, 0.34, 12.4, 1204.0].map(rate), ["", "0.3", "12", "1,204"]);
        assert_eq!(messages(1), "1 message");
    }

    #[test]
    fn ages_use_one_unit() {
        let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        let ages = ["2026-03-02T11:59:15Z", "2026-03-02T11:57:00Z", "2026-03-01T12:00:00Z", "2026-02-18T12:00:00Z"];
        assert_eq!(ages.map(|text| age(text.parse().unwrap(), now)), ["45s", "3m", "24h", "12d"]);
        assert_eq!(age("2026-03-02T12:00:01Z".parse().unwrap(), now), "now");
    }
}
