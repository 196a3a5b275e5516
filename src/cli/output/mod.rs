//! Where everything goes that a verb says: data to stdout, talk to stderr.
//!
//! A broken pipe on stdout is no error: [`Output::is_closed`] turns true, and what is written after it goes nowhere.
//! Limits: nothing here knows a broker; each kind of object has its own file beside this one.

pub(crate) mod consumers;
pub(crate) mod groups;
pub(crate) mod journal;
pub(crate) mod message;

pub(crate) mod paint;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod queue;
pub(crate) mod report;
pub(crate) mod rows;
pub(crate) mod table;

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use clap::ValueEnum;
use indicatif::ProgressBar;
use serde_json::Value as Json;

use crate::config::Environment;
use crate::error::{Error, ErrorKind, Result, error_json};
pub(crate) use crate::text;
pub(crate) use crate::text::human;
use crate::text::safe_lines;
use paint::{Paint, Role};

/// How data is written to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: aligned and cut to the terminal's width
    Table,
    /// One JSON value: an object, or an array of them
    Json,
    /// One JSON object on each line
    Jsonl,
    /// Payload bytes as they are, nothing between them
    Raw,
    /// Comma-separated values under a line of names: only `browse --columns` writes them
    Csv,
    /// A page of Markdown: only `report` writes one
    Md,
}

/// When there is colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What a verb's data is: decides the format where none was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Several objects.
    List,
    /// One object.
    Object,
}

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Talk {
    /// Errors only.
    Quiet,
    /// What the operator should know.
    Normal,
}

/// Both streams, and how they are written.
#[derive(Debug)]
pub(crate) struct Output {
    asked: Option<Format>,
    talk: Talk,
    stdout: Mutex<Data>,
    bar: Mutex<Option<ProgressBar>>,
    /// Colours for stdout.
    pub(crate) paint: Paint,
    /// Colours for stderr.
    pub(crate) talk_paint: Paint,
    /// Whether stdout is a terminal.
    pub(crate) stdout_is_terminal: bool,
    /// Whether stderr is a terminal.
    pub(crate) stderr_is_terminal: bool,
    /// The width for tables, in cells.
    pub(crate) width: usize,
}

#[derive(Debug)]
struct Data {
    writer: BufWriter<io::Stdout>,
    closed: bool,
}

impl Output {
    /// The process's streams.
    pub(crate) fn new(asked: Option<Format>, color: ColorWhen, talk: Talk, environment: &Environment) -> Self {
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let plain = environment.get("NO_COLOR").is_some() || environment.get("TERM") == Some("dumb");
        let paint = |terminal: bool| Paint {
            on: match color {
                ColorWhen::Always => true,
                ColorWhen::Never => false,
                ColorWhen::Auto => terminal && !plain,
            },
        };
        let columns = environment.get("COLUMNS").and_then(|text| text.parse().ok());
        let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        Self {
            asked,
            talk,
            stdout: Mutex::new(Data { writer: BufWriter::with_capacity(64 * 1024, io::stdout()), closed: false }),
            bar: Mutex::new(None),
            paint: paint(out),
            talk_paint: paint(err),
            stdout_is_terminal: out,
            stderr_is_terminal: err,
            width: columns.or_else(terminal).unwrap_or(80).max(40),
        }
    }

    /// The format that was asked for.
    pub(crate) const fn asked(&self) -> Option<Format> {
        self.asked
    }

    /// The format for data of that shape.
    pub(crate) fn format(&self, shape: Shape) -> Format {
        self.asked.unwrap_or(match (self.stdout_is_terminal, shape) {
            (true, _) => Format::Table,
            (false, Shape::List) => Format::Jsonl,
            (false, Shape::Object) => Format::Json,
        })
    }

    /// Whether whoever reads stdout has gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Writes one line of text for people. It must be safe for a terminal already.
    pub(crate) fn line(&self, line: &str) -> Result<()> {
        self.write(|writer| writeln!(writer, "{line}"))
    }

    /// Writes one JSON object on one line.
    pub(crate) fn json_line(&self, json: &str) -> Result<()> {
        if self.stdout_is_terminal { self.line(&text::safe_json(json)) } else { self.line(json) }
    }

    /// Writes JSON without a line end.
    pub(crate) fn json(&self, json: &str) -> Result<()> {
        if self.stdout_is_terminal { self.bytes(text::safe_json(json).as_bytes()) } else { self.bytes(json.as_bytes()) }
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<()> {
        self.write(|writer| writer.write_all(bytes))
    }

    /// Hands everything written so far to whoever reads it.
    pub(crate) fn flush(&self) -> Result<()> {
        self.write(BufWriter::flush)
    }

    /// Writes one object: pretty JSON, a line, or what `table` says.
    pub(crate) fn object(&self, json: impl FnOnce() -> Json, table: impl FnOnce() -> Vec<String>) -> Result<()> {
        match self.format(Shape::Object) {
            Format::Table => table().iter().try_for_each(|line| self.line(line)),
            Format::Json => self.json_line(&format!("{:#}", json())),
            Format::Jsonl => self.json_line(&json().to_string()),
            Format::Raw => Err(no_raw()),
            Format::Csv => Err(no_csv()),
            Format::Md => Err(no_markdown()),
        }
    }

    /// Writes a list of objects: an array, a line each, or what `table` says.
    pub(crate) fn list(&self, json: impl FnOnce() -> Vec<Json>, table: impl FnOnce() -> Vec<String>) -> Result<()> {
        match self.format(Shape::List) {
            Format::Table => table().iter().try_for_each(|line| self.line(line)),
            Format::Json => self.json_line(&format!("{:#}", Json::Array(json()))),
            Format::Jsonl => json().iter().try_for_each(|object| self.json_line(&object.to_string())),
            Format::Raw => Err(no_raw()),
            Format::Csv => Err(no_csv()),
            Format::Md => Err(no_markdown()),
        }
    }

    /// Whether anything but errors is said.
    pub(crate) fn talks(&self) -> bool {
        self.talk > Talk::Quiet
    }

    /// Whether progress bars are shown.
    pub(crate) fn shows_progress(&self) -> bool {
        self.talks() && self.stderr_is_terminal
    }

    /// Says something on stderr, unless told to be quiet. Made safe here; line ends stay.
    pub(crate) fn note(&self, text: &str) {
        if self.talks() {
            self.say(&safe_lines(text));
        }
    }

    /// Warns on stderr, unless told to be quiet.
    pub(crate) fn warn(&self, text: &str) {
        if self.talks() {
            self.say(&format!("{} {}", self.talk_paint.paint(Role::Warning, "Warning:"), safe_lines(text)));
        }
    }

    /// Says what went wrong: sentence, causes and hint; with `-o json` and `jsonl` as one object.
    pub(crate) fn error(&self, error: &Error) {
        if matches!(self.asked, Some(Format::Json | Format::Jsonl)) {
            self.say(&text::safe_json(&error_json(error).to_string()));
            return;
        }
        let mut said =
            vec![format!("{} {}", self.talk_paint.paint(Role::Bad, "Error:"), safe_lines(&error.to_string()))];
        let hint = error.hint_text();
        said.extend(hint.map(|hint| format!("{} {}", self.talk_paint.paint(Role::Good, "Hint:"), safe_lines(hint))));
        self.say(&said.join("\n"));
    }

    /// Puts a progress bar below everything else, or takes it away.
    pub(crate) fn set_bar(&self, bar: Option<ProgressBar>) {
        let mut slot = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = std::mem::replace(&mut *slot, bar) {
            old.finish_and_clear();
        }
    }

    /// Writes to stderr; nothing is left to do where that fails.
    pub(crate) fn say(&self, text: &str) {
        // On one screen, what was written first is to be seen first.
        if self.stdout_is_terminal {
            _ = self.flush();
        }
        let write = || _ = writeln!(io::stderr().lock(), "{text}");
        match &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Data> {
        self.stdout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, write: impl FnOnce(&mut BufWriter<io::Stdout>) -> io::Result<()>) -> Result<()> {
        let mut data = self.lock();
        if data.closed {
            return Ok(());
        }
        match write(&mut data.writer) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                data.closed = true;
                Ok(())
            }
            Err(error) => Err(Error::new(ErrorKind::Io, "standard output can't be written").because(error)),
            Ok(()) => Ok(()),
        }
    }
}

/// Why a verb does not write Markdown.
pub(crate) fn no_markdown() -> Error {
    Error::new(ErrorKind::Usage, "-o md writes an incident report, and this verb has none")
        .hint("`postroom report ADDRESS -o md` writes one; other verbs know -o table, -o json and -o jsonl")
}

/// Why a verb does not write comma-separated values.
pub(crate) fn no_csv() -> Error {
    Error::new(ErrorKind::Usage, "-o csv writes the columns of messages, and none were named").hint(
        "`postroom browse ADDRESS --columns age,id,why -o csv` names some; lists are -o table, -o json or -o jsonl",
    )
}

fn no_raw() -> Error {
    Error::new(ErrorKind::Usage, "-o raw writes payloads, and this verb has none")
        .hint("use -o table, -o json or -o jsonl; `browse` knows -o raw")
}
