//! `--server-side` of `replay` and `drain`: what the broker does with a whole queue by itself.

use super::Exit;
use super::consent::{self, Changed, Decision};
use super::context::Context;
use super::reporting::finish;
use crate::operation::wholesale::{self, WholesaleRequest};

/// Plans, asks and has it done.
pub(super) async fn run(request: WholesaleRequest, changed: &[Changed], question: &str, context: &Context<'_>) -> Exit {
    let control = context.control();
    let prepared = wholesale::plan(request, &control).await?;
    if consent::ask(&prepared.plan, changed, question, context).await? == Decision::Printed {
        return Ok(0);
    }
    let report = wholesale::run(prepared, &control).await?;
    finish(&report, context)
}
