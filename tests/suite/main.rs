//! Everything that is tested from outside, in one binary: command line snapshots, properties, generated files and
//! the architecture. Each file is one subject.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by failing")]

mod architecture;
mod archive;
mod cli;
mod cli_config;
mod cli_look;
mod cli_report;
mod cli_terminal;
mod cli_triage;
mod cli_write;
mod corpus;
#[cfg(feature = "sqs")]
mod credentials;
mod dialects;
mod doubts;
mod environment;
mod expiry;
mod faults;
mod filter;
mod generated;
mod hostile;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(any(feature = "rabbitmq", feature = "kafka", feature = "sqs"))]
mod kill;
mod moves;
#[cfg(feature = "rabbitmq")]
mod moves_rabbitmq;
mod properties;
mod ramp;
mod schemas;
mod sequence;
mod triage;
#[cfg(feature = "tui")]
mod tui;
#[cfg(all(feature = "tui", any(feature = "rabbitmq", feature = "kafka", feature = "sqs")))]
mod tui_brokers;
#[cfg(feature = "tui")]
mod tui_screens;
mod wholesale;
