//! Engines over the seam: what a front end asks for, done without printing and without knowing which broker it is.

pub mod place;
