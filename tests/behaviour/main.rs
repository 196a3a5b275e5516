//! One suite of broker behaviour, for every backend.

fn main() {}
