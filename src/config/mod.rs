//! Profiles: what the operator wrote down beforehand about each broker.
//!
//! Defaults <- file <- environment <- flags. Limits: this room reads files and the environment, but opens no
//! connection.
