//! `postroom replay`: publish again what a queue holds, then remove it there.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use super::Exit;
use super::arguments::{Steps, address, duration, rate, steps};
use super::completions;
use super::consent::{self, Decision};
use super::context::Context;
use super::planning::PlanArgs;
use super::reporting::finish;
use super::selection::SelectionArgs;
use super::wholesale;
use crate::broker::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::browse::BrowseRequest;
use crate::operation::consent::Ends;
use crate::operation::edit::Edit;
use crate::operation::plan::{Pace, Verb};
use crate::operation::replay::{self, ReplayRequest};
use crate::operation::wholesale::WholesaleRequest;

/// Send messages back to where they came from, or elsewhere; each is removed only after its copy is confirmed
///
/// Without --to each message goes to the place that its own failure record names. The plan says how many go where,
/// which ones can't, and what was checked. A journal records every step: after a crash, `postroom journal resume`
/// finishes the run.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queue or archive to replay from
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Address,

    /// `origin`, or the address of a queue or exchange
    #[arg(long, value_name = "origin|ADDRESS", default_value = "origin",
        add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    to: String,

    #[command(flatten)]
    selection: SelectionArgs,

    /// Replay at most N messages, the first that match
    #[arg(short = 'l', long, value_name = "N")]
    limit: Option<u64>,

    /// Keep the originals: a copy
    #[arg(long)]
    keep: bool,

    /// Also messages that were replayed before
    #[arg(long)]
    again: bool,

    /// Replay messages that were replayed before, too, but fewer than N times; the others stay, or are parked
    ///
    /// Every copy counts its replays in its header postroom-replay-count.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_replays: Option<u64>,

    /// Set messages aside that were replayed --max-replays times, as they are, in this queue or archive
    #[arg(long, value_name = "ADDRESS", requires = "max_replays", value_parser = address,
        add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    park: Option<Address>,

    /// Change each message on its way by this jq program, over .body, .headers, .key and .properties
    ///
    /// The plan shows how many messages it changes, leaves as they are, and fails for (they stay), and the difference
    /// that it makes to the first of them. What it does not touch keeps its bytes. Such as --edit '.body.currency = "EUR"'.
    #[arg(short, long, value_name = "JQ")]
    edit: Option<String>,

    /// The same, with the program in a file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "edit")]
    edit_file: Option<PathBuf>,

    /// The same by hand: open the messages in $VISUAL or $EDITOR, at most 100 of them
    ///
    /// What was changed there is shown as a difference before anything is sent, and becomes a jq program in the plan.
    #[arg(long, conflicts_with_all = ["edit", "edit_file"])]
    edit_in_editor: bool,

    /// Send what was edited also where it does not fit its schema, or where its schema can't be had
    ///
    /// Without it such messages stay, with the reason. The plan counts them.
    #[arg(long)]
    send_misfits: bool,

    /// Replay at most N messages a second
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,

    /// Let the broker move all messages itself, unmodified: a move task of SQS, a shovel of RabbitMQ
    ///
    /// No headers are added, no copy is confirmed to postroom, there is no journal, and what arrives meanwhile may go, too.
    /// The plan says what the broker promises instead. A cancel stops it; what is moved stays moved.
    #[arg(long, conflicts_with_all = ["filter", "group", "limit", "keep", "again", "edit", "edit_file", "edit_in_editor", "send_misfits", "max_replays", "park", "ramp", "verify", "max_in_flight", "per_key", "max_failures", "expiring_first", "let_expire", "same_partition", "rescue", "exact", "plan_out"])]
    server_side: bool,

    /// Send a few messages first, then more: each step begins when the copies of the one before are consumed
    ///
    /// The sizes of the steps, then five times as many in each. What becomes of the copies is watched as --verify says
    /// (30 seconds a step where it says nothing). The run stops by itself when some come back to a dead-letter queue, or
    /// when nobody takes them; `postroom journal resume` goes on with the next step, `postroom journal undo` takes back what
    /// is still there.
    #[arg(long, value_name = "N,N…", num_args = 0..=1, require_equals = true, default_missing_value = "1,5,20,100",
        value_parser = steps)]
    ramp: Option<Steps>,

    /// Watch for at most this time what becomes of the copies: consumed, waiting, or dead again (exit code 3)
    ///
    /// Such as 30s or 2m. Targets are counted, dead-letter queues are looked at once, and only where that is no danger.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    verify: Option<f64>,

    /// Have at most N copies sent and not confirmed at a time; with --verify: sent and not consumed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_in_flight: Option<u64>,

    /// Send the messages of one key one after the other, and none behind one that failed
    ///
    /// The next one of a key is sent when the copy of the one before is confirmed; with --verify, when it is consumed, and
    /// not when it came back. What is held back stays, and is reported as skipped. The key is that of Kafka's records and
    /// the group of SQS FIFO messages; for a queue of RabbitMQ name the field that says what a message is about, such as
    /// --per-key=body.order.id or --per-key=header.order.
    #[arg(long, value_name = "FIELD", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    per_key: Option<String>,

    /// Stop when N messages have failed or come back
    ///
    /// Without it a run stops when 100 in a row fail, and with --verify when a tenth of the copies, and at least 10, come
    /// back. It looks after 100 messages, then after five times as many each; a ramp looks after each step, and stops at
    /// the first copy that comes back. `postroom journal resume` goes on.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_failures: Option<u64>,

    /// Replay messages that are about to vanish (TTL, retention) before the others, also where that breaks the queue's order
    ///
    /// Which these are is decided by their age and the pace; the plan says how many. A queue that promises no order (SQS)
    /// is replayed so in any case where some would be late, a topic oldest first as it is, and messages of one key keep
    /// their order (--per-key).
    #[arg(long)]
    expiring_first: bool,

    /// Replay also where the pace lets some messages vanish before their turn
    #[arg(long)]
    let_expire: bool,

    /// Put messages that a return would destroy back as new copies at the tail, instead of refusing
    #[arg(long)]
    rescue: bool,

    /// Kafka: send each record to the partition it came from, instead of the one that its key belongs to
    #[arg(long)]
    same_partition: bool,

    #[command(flatten)]
    plan: PlanArgs,
}

impl Args {
    /// The edit that was asked for; `Break` where nothing was changed in the editor.
    ///
    /// # Errors
    /// `Usage` for a program that does not compile; `Io` for a file that can't be read; as the editor says.
    #[cfg_attr(not(feature = "jq"), allow(clippy::unused_async, reason = "without jq there is no editor to wait for"))]
    async fn edit(&self, look: BrowseRequest, context: &Context<'_>) -> Result<ControlFlow<(), Option<Edit>>> {
        #[cfg(feature = "jq")]
        if self.edit_in_editor {
            let edit = super::editor::edit(look, context).await?;
            return Ok(edit.map_or(ControlFlow::Break(()), |edit| ControlFlow::Continue(Some(edit))));
        }
        #[cfg(not(feature = "jq"))]
        if self.edit_in_editor {
            _ = (look, context);
            Edit::parse("")?;
        }
        let text = match (&self.edit, &self.edit_file) {
            (Some(text), _) => text.clone(),
            (None, Some(file)) => std::fs::read_to_string(file).map_err(|error| {
                Error::new(ErrorKind::Io, format!("can't read the edit {}", file.display())).because(error)
            })?,
            (None, None) => return Ok(ControlFlow::Continue(None)),
        };
        Edit::parse(&text).map(|edit| ControlFlow::Continue(Some(edit)))
    }
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let selection = args.selection.selection(context, &args.address)?;
    let ends =
        Ends::new(&args.address, &args.to, args.keep, &context.places)?.also(args.park.as_ref(), &context.places)?;
    if !args.plan.is_only_saved() {
        consent::check(&ends.changed, context)?;
    }
    let (source, to) = ends.open(&context.places).await?;
    if args.server_side {
        let request = WholesaleRequest { source, to: Some(to), pace: Pace { rate: args.rate, ..Pace::default() } };
        return wholesale::run(request, &ends.changed, "Let the broker move them?", context).await;
    }
    let mode = args.plan.mode(&source, selection.is_all(), context);
    let park = match &args.park {
        Some(address) => Some(Box::new(context.places.open(address).await?)),
        None => None,
    };
    let look = BrowseRequest {
        selection: selection.clone(),
        limit: args.limit,
        rescue: args.rescue,
        ..BrowseRequest::all(source.clone())
    };
    if args.send_misfits && args.edit.is_none() && args.edit_file.is_none() && !args.edit_in_editor {
        return Err(Error::new(ErrorKind::Usage, "--send-misfits says what is done with edits, and there is none")
            .hint("add --edit, --edit-file or --edit-in-editor; what is not edited is sent as it is in any case"));
    }
    let ControlFlow::Continue(edit) = args.edit(look, context).await? else {
        context.output.note("Nothing was changed in the editor: nothing was done.");
        return Ok(0);
    };
    let request = ReplayRequest {
        verb: Verb::Replay,
        source,
        to,
        selection,
        limit: args.limit,
        keep: args.keep,
        again: args.again,
        max_replays: args.max_replays,
        park,
        reason: None,
        rescue: args.rescue,
        same_partition: args.same_partition,
        edit,
        send_misfits: args.send_misfits,
        pace: Pace {
            rate: args.rate,
            ramp: args.ramp.as_ref().map_or_else(Vec::new, |steps| steps.0.clone()),
            verify_s: args.verify,
            max_in_flight: args.max_in_flight,
            per_key: args.per_key.clone(),
            max_failures: args.max_failures,
            expiring_first: args.expiring_first,
            let_expire: args.let_expire,
        },
        rules: Arc::clone(context.rules()),
        restore: None,
        mode,
    };
    let control = context.control();
    let prepared = replay::plan(request, &control).await?;
    #[cfg(feature = "jq")]
    super::edits::show(&prepared, context);
    if args.plan.save(&prepared.plan, context)?
        || consent::ask(&prepared.plan, &ends.changed, "Replay them?", context).await? == Decision::Printed
    {
        return Ok(0);
    }
    let report = replay::run(prepared, &context.journals()?, &control).await?;
    finish(&report, context)
}
