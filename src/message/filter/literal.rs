//! What stands on the right of an operator: durations, sizes, times and numbers.
//!
//! Durations are `250ms`, `90s`, `5m`, `2h`, `1d12h`, `1w`; sizes `10kb` (1000) and `10kib` (1024); times are
//! RFC 3339 (a missing zone is UTC, a missing time midnight) or `-2h`, counted back from now.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::decimal::Decimal;

const DURATION_UNITS: &[(&str, i64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("sec", 1_000),
    ("m", 60_000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

const SIZE_UNITS: &[(&str, u64)] = &[
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// A duration such as `2h` or `1h30m`.
pub(crate) fn duration(text: &str) -> Option<SignedDuration> {
    let mut rest = text;
    let mut total = SignedDuration::ZERO;
    while !rest.is_empty() {
        let (number, unit, after) = number_and_unit(rest)?;
        let (_, millis) = DURATION_UNITS.iter().find(|(name, _)| unit.eq_ignore_ascii_case(name))?;
        total = total.checked_add(SignedDuration::from_millis(scaled(number, *millis)?))?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// A size in bytes such as `10kb`; a unit is needed.
pub(crate) fn size(text: &str) -> Option<u64> {
    let (number, unit, after) = number_and_unit(text)?;
    let (_, bytes) = SIZE_UNITS.iter().find(|(name, _)| unit.eq_ignore_ascii_case(name))?;
    (after.is_empty()).then_some(())?;
    u64::try_from(scaled(number, i64::try_from(*bytes).ok()?)?).ok()
}

/// A size in bytes, with a unit or without one; `k`, `m`, `g` and `t` are `kb`, `mb`, `gb` and `tb` here.
pub(crate) fn size_or_bytes(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| size(text)).or_else(|| size(&format!("{text}b")))
}

/// A point in time: RFC 3339, a date, or a duration back from `now`.
pub(crate) fn time(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(back) = text.strip_prefix('-') {
        return now.checked_sub(duration(back)?).ok();
    }
    absolute_time(text)
}

/// RFC 3339, also with a space for the `T`, without a zone (UTC) or without a time of day (midnight).
pub(crate) fn absolute_time(text: &str) -> Option<Timestamp> {
    // Every such text starts with a year and a dash: nothing else is worth a parser.
    let bytes = text.as_bytes();
    if bytes.get(4) != Some(&b'-') || !bytes.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| Some(TimeZone::UTC.to_zoned(text.parse::<DateTime>().ok()?).ok()?.timestamp()))
}

/// The number at the start of `text`, the letters behind it, and what follows.
fn number_and_unit(text: &str) -> Option<(&str, &str, &str)> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(number_end);
    let unit_end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, after) = rest.split_at(unit_end);
    (!number.is_empty() && !unit.is_empty()).then_some((number, unit, after))
}

/// `number * unit`, rounded down, without the detour over floating point.
fn scaled(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let fraction = fraction.get(..fraction.len().min(9))?;
    let parts = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<i128>().ok() };
    let power = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let total = parts(whole)?.checked_mul(unit.into())?.checked_add(parts(fraction)? * i128::from(unit) / power)?;
    i64::try_from(total).ok()
}

/// The operand of `<`, `<=`, `>` and `>=`, read once: everything that its text can mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The text of a number.
    pub(crate) number: Option<String>,
    /// A time.
    pub(crate) time: Option<Timestamp>,
    /// A duration.
    pub(crate) duration: Option<SignedDuration>,
    /// A size in bytes.
    pub(crate) size: Option<u64>,
}

impl Bound {
    /// Reads an operand. One that means nothing compares with nothing.
    pub(crate) fn parse(text: &str, now: Timestamp) -> Self {
        Self {
            number: Decimal::parse(text).map(|_| text.to_owned()),
            time: time(text, now),
            duration: duration(text),
            size: size(text),
        }
    }

    /// How a value, given by its text, stands to this bound; `None` where the two can't be compared.
    pub(crate) fn order_of(&self, value: &str) -> Option<Ordering> {
        if let (Some(bound), Some(value)) = (self.number.as_deref().and_then(Decimal::parse), Decimal::parse(value)) {
            return Some(value.cmp(&bound));
        }
        if let (Some(bound), Some(value)) = (self.time, absolute_time(value)) {
            return Some(value.cmp(&bound));
        }
        if let (Some(bound), Some(value)) = (self.duration, duration(value)) {
            return Some(value.cmp(&bound));
        }
        let bound = self.size?.to_string();
        match size(value) {
            Some(value) => Some(Decimal::parse(&value.to_string())?.cmp(&Decimal::parse(&bound)?)),
            None => Some(Decimal::parse(value)?.cmp(&Decimal::parse(&bound)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn durations_sizes_and_times_are_read() {
        assert_eq!(duration("2h"), Some(SignedDuration::from_hours(2)));
        assert_eq!(duration("1h30m"), Some(SignedDuration::from_mins(90)));
        assert_eq!(duration("1.5h"), Some(SignedDuration::from_mins(90)));
        assert_eq!(duration("250ms"), Some(SignedDuration::from_millis(250)));
        assert_eq!(size("10kb"), Some(10_000));
        assert_eq!(size("1.5KiB"), Some(1536));
        assert_eq!(size_or_bytes("10k"), Some(10_000));
        assert_eq!(size_or_bytes("17"), Some(17));
        assert_eq!(time("-2h", NOW), NOW.checked_sub(SignedDuration::from_hours(2)).ok());
        assert_eq!(time("1970-01-01", NOW), Some(NOW));
        assert_eq!(time("1970-01-01T01:00:00+01:00", NOW), Some(NOW));
        assert_eq!(time("1970-01-01 00:00:00", NOW), Some(NOW));
    }

    #[test]
    fn nonsense_is_refused_and_nothing_overflows() {
        for text in
            ["", "h", "2", "2 h", "2x", "2h3", "99999999999999999999h", "9999999999999999w", "1..5h", "½h", "-2h"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
        for text in ["", "kb", "10", "10xb", "99999999999999999999tb", "9999999tb9"] {
            assert_eq!(size(text), None, "{text}");
        }
        assert_eq!(time("-99999999w", NOW), None);
        assert_eq!(time("yesterday", NOW), None);
    }

    #[test]
    fn a_bound_compares_only_with_its_own_kind() {
        let over = |bound: &str, value: &str| Bound::parse(bound, NOW).order_of(value).map(Ordering::is_gt);
        assert_eq!(over("100", "100.5"), Some(true));
        assert_eq!(over("100", "text"), None);
        assert_eq!(over("2h", "90m"), Some(false));
        assert_eq!(over("2h", "9000"), None);
        assert_eq!(over("10kb", "10001"), Some(true));
        assert_eq!(over("1970-01-02", "1970-01-03T00:00:00Z"), Some(true));
        assert_eq!(over("abc", "abd"), None);
    }
}
