//! `postroom browse`: look at messages, and give them back.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::Exit;
use super::arguments::address;
use super::completions;
use super::context::Context;
use super::cost;
use super::output::message::View;
use super::output::{Format, Output, Shape, human, no_markdown};
use super::selection::SelectionArgs;
use crate::broker::{Address, CostKind, Delivery, End};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::browse::{BrowseRequest, FnSink, Summary, run as browse, start, until};
use crate::operation::masks::Masks;
use crate::operation::place::Place;

/// How many messages are shown where neither --limit nor --all says.
const LIMIT: u64 = 50;

/// Look at messages; whatever a look holds is given back
///
/// Where a look costs the queue something, it is said before: what it does, and how many more looks the messages
/// stand. A look that could destroy a message is refused.
///
/// With -o jsonl every message is one postroom.message/1 line, without loss: pipe it to `postroom publish`, or keep it.
/// With -o raw the payloads are written as they are.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queue, stream, topic or archive
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Address,

    /// Show at most N messages [default: 50]
    #[arg(short = 'l', long, value_name = "N", conflicts_with = "all")]
    limit: Option<u64>,

    /// Show every message
    #[arg(short, long)]
    all: bool,

    /// Start at: first, last (the last N of --limit), end, an offset, or a time (2026-03-02T10:11:12Z, -2h)
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true, default_value = "first")]
    from: String,

    /// Stop before this offset or time
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true)]
    until: Option<String>,

    #[command(flatten)]
    selection: SelectionArgs,

    /// Only this partition
    #[arg(long, value_name = "P")]
    partition: Option<i32>,

    /// Go on after the end and wait for arrivals; Ctrl-C ends it
    #[arg(long)]
    follow: bool,

    /// Put messages that a return would destroy back as new copies at the tail, instead of refusing the look
    #[arg(long)]
    rescue: bool,

    /// Apply the profile's redact rules to machine output, too
    #[arg(long)]
    redact: bool,

    /// Add what the payload is to machine output: its formats and its decoded form beside the raw bytes
    #[arg(long)]
    decode: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let output = &context.output;
    let now = context.now_at(&args.address);
    let selection = args.selection.selection(context, &args.address)?;
    let limit =
        if args.all || (args.follow && args.limit.is_none()) { None } else { Some(args.limit.unwrap_or(LIMIT)) };
    let request = BrowseRequest {
        selection,
        limit,
        from: start(&args.from, limit.unwrap_or(LIMIT), now)?,
        until: args.until.as_deref().map(|text| until(text, now)).transpose()?,
        partition: args.partition,
        follow: args.follow,
        rescue: args.rescue,
        ..BrowseRequest::all(context.places.open(&args.address).await?)
    };
    let place = request.source.clone();
    if place.broker.capability().read_cost != CostKind::None {
        cost::say(&place, args.all, args.rescue, output).await?;
    }
    let mut printer = Printer::new(args, &place, context)?;
    let done = browse(request, &context.control(), &mut FnSink(|deliveries| printer.take(deliveries))).await;
    let summary = done.and_then(|summary| printer.end().map(|()| summary))?;
    end(&summary, args, limit, output)
}

/// Writes messages as they come.
struct Printer<'a> {
    view: View,
    format: Format,
    output: &'a Output,
    /// As it was typed: a backend knows only its URL.
    address: Arc<str>,
    number: u64,
    buffer: Vec<u8>,
}

impl<'a> Printer<'a> {
    fn new(args: &Args, place: &Place, context: &'a Context<'_>) -> Result<Self> {
        let output = &*context.output;
        let format = output.format(Shape::List);
        match format {
            Format::Raw if output.stdout_is_terminal => {
                output.warn("-o raw writes payloads as they are; escape sequences in them reach the terminal");
            }
            Format::Md => return Err(no_markdown()),
            Format::Json => output.bytes(b"[")?,
            _ => {}
        }
        let view = View {
            broker: Address { target: None, ..place.address.clone() },
            masks: Masks::of(place, context.places.config()),
            redact_lines: args.redact,
            decode_lines: args.decode,
            rules: Arc::clone(context.rules()),
            now: context.now_at(&args.address),
            width: output.width,
            paint: output.paint,
        };
        if format == Format::Raw && args.redact {
            return Err(Error::new(ErrorKind::Usage, "-o raw can't be redacted").hint("use -o jsonl with --redact"));
        }
        let address = place.address.to_string().into();
        Ok(Self { view, format, output, address, number: 0, buffer: Vec::new() })
    }

    fn take(&mut self, deliveries: Vec<Delivery>) -> Result<ControlFlow<()>> {
        for mut delivery in deliveries {
            self.number += 1;
            delivery.message.address = Arc::clone(&self.address);
            match self.format {
                Format::Table => {
                    let lines = self.view.lines(self.number, &delivery);
                    lines.iter().try_for_each(|line| self.output.line(line))?;
                }
                Format::Raw => self.output.bytes(delivery.message.body())?,
                Format::Json | Format::Jsonl | Format::Md => self.json(&delivery)?,
            }
        }
        self.output.flush()?;
        Ok(if self.output.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn json(&mut self, delivery: &Delivery) -> Result<()> {
        self.buffer.clear();
        self.view.line(&delivery.message, &mut self.buffer);
        let line = String::from_utf8_lossy(self.buffer.trim_ascii_end());
        if self.format == Format::Jsonl {
            return self.output.json_line(&line);
        }
        let lead: &[u8] = if self.number == 1 { b"\n" } else { b",\n" };
        self.output.bytes(lead)?;
        self.output.json(&line)
    }

    fn end(&self) -> Result<()> {
        match (self.format, self.number) {
            (Format::Json, 0) => self.output.bytes(b"]\n"),
            (Format::Json, _) => self.output.bytes(b"\n]\n"),
            _ => Ok(()),
        }
    }
}

/// Says how the look ended.
fn end(summary: &Summary, args: &Args, limit: Option<u64>, output: &Output) -> Exit {
    summary.notes.iter().for_each(|note| output.warn(note));
    if summary.rescued > 0 {
        output.warn(&format!("{} put back as new copies at the tail", human::messages(summary.rescued)));
    }
    let returned =
        if summary.returned > 0 { format!(", {} returned", human::count(summary.returned)) } else { String::new() };
    let counts =
        format!("{} shown of {} seen{returned}", human::messages(summary.matched), human::count(summary.scanned));
    match &summary.end {
        // Whoever read stdout has gone: nobody is left to be told.
        _ if output.is_closed() => Ok(0),
        End::Cancelled => {
            output.note(&format!("Interrupted: {counts}."));
            Ok(ErrorKind::Interrupted.exit())
        }
        End::Stopped(why) => {
            Err(Error::new(ErrorKind::Partial, format!("the look at {} stopped early: {why}", args.address))
                .hint(counts))
        }
        End::Limit if args.limit.is_none() && limit.is_some() => {
            output.note(&format!("{counts}. There are more: --limit N or --all."));
            Ok(0)
        }
        End::Limit | End::Exhausted => {
            if summary.matched == 0 || summary.returned > 0 {
                output.note(&format!("{counts}."));
            }
            Ok(0)
        }
    }
}
