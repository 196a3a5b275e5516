//! The filter language of DESIGN section 5, and the byte-level condition compiled from it.

mod prefilter;

pub use prefilter::{Prefilter, RawParts};
