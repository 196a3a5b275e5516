//! What SQS lets a user do, asked by calls that can do nothing: a batch without entries, and a handle that is none.
//!
//! A refusal is certain. Anything else is not a yes: nobody documents whether AWS looks at the rights or at the entries
//! first. Limits: rights on keys of KMS show with the first message.

use super::Shared;
use super::call::call;
use super::errors::Place;
use crate::broker::{Access, Right};
use crate::error::{ErrorKind, Result};

/// A handle that no message has.
const NO_HANDLE: &str = "postroom-asks-whether-it-may";

/// Asks.
pub(super) async fn ask(shared: &Shared, queue: &str, access: Access) -> Right {
    match refusal(shared, queue, access).await {
        Ok(Some(why)) => Right::Denied(why),
        Ok(None) => Right::Unknown("SQS tells a refusal beforehand, and a yes only by the first message".to_owned()),
        Err(error) => Right::Unknown(error.to_string()),
    }
}

/// Why it is denied, where it surely is.
async fn refusal(shared: &Shared, queue: &str, access: Access) -> Result<Option<String>> {
    let facts = shared.facts(queue).await?;
    let client = shared.client().await;
    let place = |action| Place { action, queue, arn: facts.arn() };
    let trouble = match access {
        Access::Publish => {
            let none = Some(Vec::new());
            let ask = || client.send_message_batch().queue_url(&facts.url).set_entries(none.clone()).send();
            call(&shared.throttling, true, ask).await.err().map(|trouble| trouble.explain(&place("SendMessage")))
        }
        Access::Remove => {
            let ask = || client.delete_message().queue_url(&facts.url).receipt_handle(NO_HANDLE).send();
            call(&shared.throttling, true, ask).await.err().map(|trouble| trouble.explain(&place("DeleteMessage")))
        }
    };
    Ok(trouble.filter(|error| error.kind() == ErrorKind::Denied).map(|error| error.message().to_owned()))
}
