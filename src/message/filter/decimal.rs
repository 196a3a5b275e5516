//! Decimal numbers compared by value and without rounding: `100`, `100.0` and `1e2` are equal,
//! `9007199254740993` and `9007199254740992` are not.

use std::cmp::Ordering;

/// A number as written in JSON (also with a leading `+`, zeros or point), borrowed from its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// Reads a whole text as a number; `None` where it is none.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] | rest => (false, rest),
        };
        let mantissa_end = memchr::memchr2(b'e', b'E', rest).unwrap_or(rest.len());
        let (mantissa, exponent) = rest.split_at(mantissa_end);
        let point = memchr::memchr(b'.', mantissa).unwrap_or(mantissa.len());
        let (whole, fraction) = mantissa.split_at(point);
        let fraction = fraction.get(1..).unwrap_or_default();
        if whole.is_empty() && fraction.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
            return None;
        }
        let exponent = match exponent.get(1..) {
            None => 0,
            Some(digits) => std::str::from_utf8(digits).ok()?.parse::<i32>().ok()?.into(),
        };
        Some(Self { negative, whole, fraction, exponent })
    }

    /// The digits from the first that is not zero, and the power of ten that the first stands for plus one.
    fn digits(&self) -> (impl Iterator<Item = u8> + use<'a>, i64) {
        let zeros = self.whole.iter().chain(self.fraction).take_while(|digit| **digit == b'0').count();
        let length = |digits: usize| i64::try_from(digits).unwrap_or(i64::MAX / 4);
        let magnitude = length(self.whole.len()) - length(zeros) + self.exponent;
        (self.whole.iter().chain(self.fraction).copied().skip(zeros), magnitude)
    }

    fn cmp_absolute(&self, other: &Self) -> Ordering {
        let ((mut mine, my_magnitude), (mut theirs, their_magnitude)) = (self.digits(), other.digits());
        let (mut a, mut b) = (mine.next(), theirs.next());
        // Zero has no digits, and its magnitude says nothing.
        match (a, b) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(_), Some(_)) => {}
        }
        let mut order = my_magnitude.cmp(&their_magnitude);
        while order.is_eq() && (a.is_some() || b.is_some()) {
            order = a.unwrap_or(b'0').cmp(&b.unwrap_or(b'0'));
            (a, b) = (mine.next(), theirs.next());
        }
        order
    }

    fn is_zero(&self) -> bool {
        self.digits().0.next().is_none()
    }
}

impl Ord for Decimal<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative && !self.is_zero(), other.negative && !other.is_zero()) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_absolute(other),
            (true, true) => other.cmp_absolute(self),
        }
    }
}

impl PartialOrd for Decimal<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal<'_> {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn equal_values_are_equal_however_written() {
        for text in ["100", "100.0", "1e2", "1E+2", "0.1e3", "+100", "0100.00", "1000e-1"] {
            assert_eq!(number(text), number("100"), "{text}");
        }
        assert_eq!(number("-0"), number("0.000e9"));
        assert_ne!(number("9007199254740993"), number("9007199254740992"));
        assert_ne!(number("0.1"), number("0.10000000000000000001"));
    }

    #[test]
    fn order_is_by_value() {
        let sorted = ["-1e3", "-100.5", "-100", "-0.5", "0", "1e-300", "0.49", "0.5", "9", "10", "10.01", "1e300"];
        for pair in sorted.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".", "1.2.3", "0x10", "1e", "e5", "1 ", "NaN", "1e99999999999", "½", "--1"] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }
}
