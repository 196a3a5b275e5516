//! `postroom publish`: message lines from standard input, or one raw body, to a queue or exchange.

use std::collections::VecDeque;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Stdin};

use super::Exit;
use super::arguments::{address, pair};
use super::completions;
use super::consent::{self, Changed, Decision};
use super::context::Context;
use super::reporting::finish;
use crate::broker::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::message::jsonl::read_line;
use crate::message::{Fields, Message};
use crate::operation::plan::Pace;
use crate::operation::publish::{self, Input, Line, PublishRequest, property};

/// Publish message lines from standard input, or one raw body; each confirmed by the broker
///
/// Lines are postroom.message/1 objects, as `postroom browse -o jsonl` writes them: key, headers, properties and
/// payload go out as they came. A malformed line stops the run; the report says what had been sent.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queue, or exchange:NAME/ROUTING.KEY
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Address,

    /// `-`: standard input is one raw body
    #[arg(value_parser = ["-"], hide_possible_values = true, value_name = "-", group = "raw")]
    stdin: Option<String>,

    /// Publish one message with this body
    #[arg(short, long, value_name = "TEXT", group = "raw", allow_hyphen_values = true)]
    body: Option<String>,

    /// Publish one message with this file's bytes as its body
    #[arg(long, value_name = "FILE", group = "raw", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// The raw body's key: a record key, routing key or message group
    #[arg(short, long, value_name = "KEY", requires = "raw", allow_hyphen_values = true)]
    key: Option<String>,

    /// A header of the raw body; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME=VALUE", requires = "raw", value_parser = pair)]
    headers: Vec<(String, String)>,

    /// A property of the raw body, such as `content_type=application/json`; may be repeated
    #[arg(short, long = "property", value_name = "NAME=VALUE", requires = "raw", value_parser = pair)]
    properties: Vec<(String, String)>,

    /// Publish at most N messages a second
    #[arg(long, value_name = "N", value_parser = super::arguments::rate)]
    rate: Option<f64>,
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let policy = context.places.policy(&args.address)?;
    let changed = [Changed::at(&args.address, &context.places)?];
    let mut input = if let Some(message) = raw(args).await? {
        Lines::of(message)
    } else {
        if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
            context
                .output
                .note("Reading message lines from the terminal; Ctrl-D ends them. For one raw body: --body TEXT.");
        }
        Lines::from_stdin()
    };
    // Whether there is more than one message decides whether to ask, so two lines are read beforehand.
    let count = if context.global.dry_run { Some(input.read_all().await?) } else { input.count_if_short().await? };
    let asks = count.is_none_or(|n| n > 1) || policy.production || context.global.dry_run;
    if asks || policy.read_only {
        consent::check(&changed, context)?;
    }
    let control = context.control();
    let request = PublishRequest {
        to: context.places.open(&args.address).await?,
        count,
        pace: Pace { rate: args.rate, ..Pace::default() },
    };
    let prepared = publish::plan(request, &control).await?;
    if asks && consent::ask(&prepared.plan, &changed, "Publish them?", context).await? == Decision::Printed {
        return Ok(0);
    }
    let report = publish::run(prepared, input, &control).await;
    finish(&report, context)
}

/// The one message of --body, --file or `-`.
async fn raw(args: &Args) -> Result<Option<Message>> {
    let payload = match (&args.body, &args.file) {
        (Some(text), _) => Bytes::from(text.clone().into_bytes()),
        (None, Some(path)) if path.as_os_str() != "-" => {
            let bytes = tokio::fs::read(path).await.map_err(|error| {
                Error::new(ErrorKind::Io, format!("can't read the body from {}", path.display())).because(error)
            })?;
            Bytes::from(bytes)
        }
        (None, None) if args.stdin.is_none() => return Ok(None),
        _ => {
            let mut bytes = Vec::new();
            tokio::io::stdin().read_to_end(&mut bytes).await?;
            Bytes::from(bytes)
        }
    };
    Ok(Some(Message {
        key: args.key.clone().map(Bytes::from),
        headers: args.headers.iter().map(|(name, value)| (name, value.as_str())).collect(),
        properties: args.properties.iter().map(|(name, value)| property(name, value)).collect::<Result<Fields>>()?,
        payload: Some(payload),
        ..Message::default()
    }))
}

/// Message lines, read one by one.
struct Lines {
    stdin: Option<BufReader<Stdin>>,
    /// Bytes of a line whose end has not come yet; kept over cancelled reads.
    partial: Vec<u8>,
    number: u64,
    ready: VecDeque<Line>,
    /// A fault behind the lines that are ready.
    fault: Option<Error>,
}

impl Lines {
    fn of(message: Message) -> Self {
        let ready = VecDeque::from([Line { number: 1, message }]);
        Self { stdin: None, partial: Vec::new(), number: 1, ready, fault: None }
    }

    fn from_stdin() -> Self {
        let stdin = BufReader::with_capacity(256 * 1024, tokio::io::stdin());
        Self { stdin: Some(stdin), partial: Vec::new(), number: 0, ready: VecDeque::new(), fault: None }
    }

    /// Reads one more line into `ready`; `false` at the end or at a fault.
    async fn read_one(&mut self) -> Result<bool> {
        loop {
            let Some(stdin) = &mut self.stdin else { return Ok(false) };
            let failed = |error| Error::new(ErrorKind::Io, "standard input can't be read").because(error);
            stdin.read_until(b'\n', &mut self.partial).await.map_err(failed)?;
            if self.partial.is_empty() {
                self.stdin = None;
                return Ok(false);
            }
            self.number += 1;
            let line = std::mem::take(&mut self.partial);
            if line.trim_ascii().is_empty() {
                continue;
            }
            match read_line(&line) {
                Ok(message) => {
                    self.ready.push_back(Line { number: self.number, message });
                    return Ok(true);
                }
                Err(error) => {
                    self.stdin = None;
                    let text = format!("line {} of standard input: {error}", self.number);
                    self.fault = Some(Error::new(ErrorKind::Invalid, text).context("line", self.number.to_string()));
                    return Ok(false);
                }
            }
        }
    }

    /// How many messages there are, where that is at most one; `None` for more.
    async fn count_if_short(&mut self) -> Result<Option<u64>> {
        while self.ready.len() < 2 && self.read_one().await? {}
        match self.fault.take_if(|_| self.ready.is_empty()) {
            Some(fault) => Err(fault.hint("nothing was sent")),
            None => Ok((self.ready.len() < 2 && self.fault.is_none()).then_some(self.ready.len() as u64)),
        }
    }

    /// Reads and counts everything, for a dry run.
    async fn read_all(&mut self) -> Result<u64> {
        let mut count = self.ready.len() as u64;
        while self.read_one().await? {
            count += 1;
            self.ready.clear();
        }
        self.fault.take().map_or(Ok(count), Err)
    }

    /// Whether a whole line can be had without waiting.
    fn has_more_at_hand(&self) -> bool {
        self.stdin.as_ref().is_some_and(|stdin| memchr::memchr(b'\n', stdin.buffer()).is_some())
    }
}

#[async_trait]
impl Input for Lines {
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Line>> {
        if self.ready.is_empty() {
            self.read_one().await?;
        }
        while self.ready.len() < max && self.has_more_at_hand() && self.read_one().await? {}
        let take = self.ready.len().min(max);
        match self.fault.take_if(|_| take == 0) {
            Some(fault) => Err(fault),
            None => Ok(self.ready.drain(..take).collect()),
        }
    }
}
