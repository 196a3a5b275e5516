//! `postroom browse`: look at messages, and give them back.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::Exit;
use super::arguments::address;
use super::completions;
use super::context::Context;
use super::cost;
use super::output::message::View;
use super::output::rows::Rows;
use super::output::{Format, Output, Shape, human, no_csv, no_markdown};
use super::selection::SelectionArgs;
use crate::broker::{Address, CostKind, Delivery, End};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::browse::{BrowseRequest, FnSink, Summary, run as browse, start, until};
use crate::operation::columns::Column;
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
/// With -o raw the payloads are written as they are. With --columns every message is one row, of a table, of -o csv, or
/// an object postroom.row/1; what the profile hides is hidden there in every format.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Queues, streams, topics and archives, looked at one after the other
    #[arg(value_parser = address, required = true, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    addresses: Vec<Address>,

    /// Show at most N messages of each [default: 50]
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
    #[arg(long, conflicts_with = "columns")]
    decode: bool,

    /// Show these columns, one row a message: age, time, queue, id, key, why, body, size, or fields such as header.tenant
    /// and body.total; the names are those of the screens
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    columns: Vec<String>,
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let output = &context.output;
    if args.follow && args.addresses.len() > 1 {
        return Err(Error::new(ErrorKind::Usage, "--follow waits at the end of one queue")
            .hint("name one address, and follow the others beside it"));
    }
    let limit =
        if args.all || (args.follow && args.limit.is_none()) { None } else { Some(args.limit.unwrap_or(LIMIT)) };
    let mut printer = Printer::new(args, output)?;
    let mut total: Option<Summary> = None;
    for address in &args.addresses {
        let now = context.now_at(address);
        let request = BrowseRequest {
            selection: args.selection.selection(context, address)?,
            limit,
            from: start(&args.from, limit.unwrap_or(LIMIT), now)?,
            until: args.until.as_deref().map(|text| until(text, now)).transpose()?,
            partition: args.partition,
            follow: args.follow,
            rescue: args.rescue,
            ..BrowseRequest::all(context.places.open(address).await?)
        };
        let place = request.source.clone();
        if place.broker.capability().read_cost != CostKind::None {
            cost::say(&place, args.all, args.rescue, output).await?;
        }
        let mut at = printer.at(args, &place, context);
        let looked = browse(request, &context.control(), &mut FnSink(|deliveries| at.take(deliveries))).await;
        if looked.is_err() {
            // What was seen before the error is shown.
            printer.rest()?;
        }
        let summary = looked?;
        if let End::Stopped(why) = &summary.end {
            printer.end()?;
            return Err(Error::new(ErrorKind::Partial, format!("the look at {address} stopped early: {why}"))
                .hint(counts(&summary)));
        }
        let is_over = summary.end == End::Cancelled || output.is_closed();
        total = Some(match total {
            None => summary,
            Some(before) => both(before, summary),
        });
        if is_over {
            break;
        }
    }
    printer.end()?;
    Ok(total.map_or(0, |summary| end(&summary, args, limit, output)))
}

/// What two looks saw, one after the other.
fn both(one: Summary, other: Summary) -> Summary {
    Summary {
        scanned: one.scanned + other.scanned,
        matched: one.matched + other.matched,
        returned: one.returned + other.returned,
        rescued: one.rescued + other.rescued,
        // A limit that one of them met is told.
        end: if other.end == End::Exhausted { one.end } else { other.end },
        notes: one.notes.into_iter().chain(other.notes).collect(),
    }
}

/// Writes messages as they come.
struct Printer<'a> {
    format: Format,
    output: &'a Output,
    number: u64,
    buffer: Vec<u8>,
    rows: Option<Rows>,
}

/// The same, of those of one queue.
struct At<'a, 'p> {
    printer: &'p mut Printer<'a>,
    view: View,
    /// As it was typed: a backend knows only its URL.
    address: Arc<str>,
    follow: bool,
}

impl<'a> Printer<'a> {
    fn new(args: &Args, output: &'a Output) -> Result<Self> {
        let columns: Vec<Column> = args.columns.iter().map(|name| Column::parse(name)).collect::<Result<_>>()?;
        let format = match output.asked() {
            None if !columns.is_empty() && !output.stdout_is_terminal => Format::Csv,
            _ => output.format(Shape::List),
        };
        match format {
            Format::Raw if !columns.is_empty() => {
                return Err(Error::new(ErrorKind::Usage, "-o raw writes payloads, which have no columns")
                    .hint("use -o table, -o csv, -o json or -o jsonl"));
            }
            Format::Raw if args.redact => {
                return Err(Error::new(ErrorKind::Usage, "-o raw can't be redacted").hint("use -o jsonl with --redact"));
            }
            Format::Raw if output.stdout_is_terminal => {
                output.warn("-o raw writes payloads as they are; escape sequences in them reach the terminal");
            }
            Format::Md => return Err(no_markdown()),
            Format::Csv if columns.is_empty() => return Err(no_csv()),
            Format::Json => output.bytes(b"[")?,
            _ => {}
        }
        let mut rows = (!columns.is_empty()).then(|| Rows::new(columns, output.width, output.paint));
        if let (Format::Csv, Some(rows)) = (format, &mut rows) {
            output.line(&rows.csv_head())?;
        }
        Ok(Self { format, output, number: 0, buffer: Vec::new(), rows })
    }

    fn at<'p>(&'p mut self, args: &Args, place: &Place, context: &Context<'_>) -> At<'a, 'p> {
        let view = View {
            broker: Address { target: None, ..place.address.clone() },
            masks: Masks::of(place, context.places.config()),
            redact_lines: args.redact,
            decode_lines: args.decode,
            rules: Arc::clone(context.rules()),
            now: context.now_at(&place.address),
            width: self.output.width,
            paint: self.output.paint,
        };
        At { printer: self, view, address: place.address.to_string().into(), follow: args.follow }
    }

    /// Writes one object, on a line or in the array.
    fn json(&mut self, line: &str) -> Result<()> {
        if self.format == Format::Jsonl {
            return self.output.json_line(line);
        }
        let lead: &[u8] = if self.number == 1 { b"\n" } else { b",\n" };
        self.output.bytes(lead)?;
        self.output.json(line)
    }

    /// Writes the rows that wait for others.
    fn rest(&mut self) -> Result<()> {
        let rest = self.rows.as_mut().map(Rows::rest).unwrap_or_default();
        rest.iter().try_for_each(|line| self.output.line(line))
    }

    fn end(&mut self) -> Result<()> {
        self.rest()?;
        match (self.format, self.number) {
            (Format::Json, 0) => self.output.bytes(b"]\n"),
            (Format::Json, _) => self.output.bytes(b"\n]\n"),
            _ => Ok(()),
        }
    }
}

impl At<'_, '_> {
    fn take(&mut self, deliveries: Vec<Delivery>) -> Result<ControlFlow<()>> {
        let output = self.printer.output;
        for mut delivery in deliveries {
            self.printer.number += 1;
            delivery.message.address = Arc::clone(&self.address);
            match (self.printer.format, &mut self.printer.rows) {
                (Format::Table | Format::Csv, Some(rows)) => {
                    let cells = self.view.cells(&delivery.message, rows.columns());
                    let csv = self.printer.format == Format::Csv;
                    let lines = if csv { vec![Rows::csv(&cells)] } else { rows.table(cells) };
                    lines.iter().try_for_each(|line| output.line(line))?;
                }
                (_, Some(rows)) => {
                    let cells = self.view.cells(&delivery.message, rows.columns());
                    let line = rows.json(&delivery.message, cells).to_string();
                    self.printer.json(&line)?;
                }
                (Format::Table, None) => {
                    let lines = self.view.lines(self.printer.number, &delivery);
                    lines.iter().try_for_each(|line| output.line(line))?;
                }
                (Format::Raw, None) => output.bytes(delivery.message.body())?,
                (_, None) => {
                    let mut buffer = std::mem::take(&mut self.printer.buffer);
                    buffer.clear();
                    self.view.line(&delivery.message, &mut buffer);
                    let line = String::from_utf8_lossy(buffer.trim_ascii_end());
                    self.printer.json(&line)?;
                    self.printer.buffer = buffer;
                }
            }
        }
        if self.follow {
            // Whoever waits for arrivals sees them now.
            self.printer.rest()?;
        }
        output.flush()?;
        Ok(if output.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

/// How many were seen, shown and given back.
fn counts(summary: &Summary) -> String {
    let returned =
        if summary.returned > 0 { format!(", {} returned", human::count(summary.returned)) } else { String::new() };
    format!("{} shown of {} seen{returned}", human::messages(summary.matched), human::count(summary.scanned))
}

/// Says how the looks ended.
fn end(summary: &Summary, args: &Args, limit: Option<u64>, output: &Output) -> u8 {
    summary.notes.iter().for_each(|note| output.warn(note));
    if summary.rescued > 0 {
        output.warn(&format!("{} put back as new copies at the tail", human::messages(summary.rescued)));
    }
    let counts = counts(summary);
    match &summary.end {
        // Whoever read stdout has gone: nobody is left to be told.
        _ if output.is_closed() => {}
        End::Cancelled => {
            output.note(&format!("Interrupted: {counts}."));
            return ErrorKind::Interrupted.exit();
        }
        End::Limit if args.limit.is_none() && limit.is_some() => {
            output.note(&format!("{counts}. There are more: --limit N or --all."));
        }
        _ if summary.matched == 0 || summary.returned > 0 => output.note(&format!("{counts}.")),
        _ => {}
    }
    0
}
