//! `postroom demo`: the embedded incident as text: queues, causes, and the plan of a replay. No server, no network.

use super::Exit;
use super::context::Context;
use super::groups::look;
use super::output::paint::Role;
use super::output::queue::list_table;
use super::output::{groups as group_view, human, plan as plan_view};
use crate::broker::{Address, Target};
use crate::error::Result;
use crate::operation::groups::GroupSummary;
use crate::operation::queues;
use crate::operation::replay::{self, ReplayRequest, ReplayTo};
use crate::operation::select::Selection;

/// Show the built-in incident: a bookshop after a bad release, 2,000 dead messages on three brokers
///
/// All verbs work on demo: addresses: postroom browse demo:orders.dlq, postroom groups demo:orders.dlq … It is the
/// same in every run; what a write changes is back in the next.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Runs the verb.
pub(super) async fn run(context: &Context<'_>) -> Exit {
    let demo: Address = "demo".parse()?;
    let now = context.now_at(&demo);
    let output = &context.output;
    let (mut queues, _) = queues::list(&context.places, &demo, false).await?;
    queues::sort(&mut queues);
    let dead: Vec<Address> = queues
        .iter()
        .filter(|listed| listed.info.is_dlq)
        .map(|listed| demo.at(Target::queue(&listed.info.name)))
        .collect();
    let groups = look(&dead, context).await?;
    let total: u64 = groups.iter().map(|group| group.count).sum();

    let heading = |text: &str| output.paint.paint(Role::Heading, text);
    let mut page = vec![
        heading("The demo incident: a bookshop at 14:47, after the pricing release of 14:02"),
        String::new(),
        heading("$ postroom queues demo"),
    ];
    page.extend(list_table(&queues, |_| now, output.width, output.paint));
    let names: Vec<String> = dead.iter().map(ToString::to_string).collect();
    page.extend([String::new(), heading(&format!("$ postroom groups {} …", names.first().map_or("", String::as_str)))]);
    page.extend(group_view::table(&groups, now, output.width, output.paint));
    page.push(format!("{} dead, {}", human::messages(total), human::plural(groups.len() as u64, "cause")));
    if let Some((address, id, lines)) = plan(&groups, context).await? {
        page.extend([String::new(), heading(&format!("$ postroom replay {address} --group {id} --dry-run"))]);
        page.extend(lines);
    }
    page.extend([
        String::new(),
        "Every verb works on demo: addresses; `postroom help` lists them. To connect to your own broker:".to_owned(),
        "  postroom queues amqp://USER@HOST:5672/%2f      (the password from POSTROOM_PASSWORD)".to_owned(),
        "  postroom config init                           (profiles: addresses become NAME:QUEUE)".to_owned(),
    ]);
    page.iter().try_for_each(|line| output.line(line))?;
    Ok(0)
}

/// The plan of a replay of the largest group of the first queue, to where its messages came from.
async fn plan(groups: &[GroupSummary], context: &Context<'_>) -> Result<Option<(Address, String, Vec<String>)>> {
    let Some(group) = groups.iter().find(|group| !group.sample.address.is_empty()) else { return Ok(None) };
    let address: Address = group.sample.address.parse()?;
    let request = ReplayRequest {
        selection: Selection::parse(None, Some(&group.name), context.now_at(&address), context.rules())?,
        ..ReplayRequest::all(context.places.open(&address).await?, ReplayTo::Origin)
    };
    let prepared = replay::plan(request, &context.control()).await?;
    let lines = plan_view::sheet(&prepared.plan, context.output.width, context.output.paint);
    Ok(Some((address, group.name.clone(), lines)))
}
