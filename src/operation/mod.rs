//! Engines over the seam: what a front end asks for, done without printing and without knowing which broker it is.
//!
//! ```text
//! place      address -> open broker and policy         control    clock, cancel, progress, outcomes
//! select     which messages                            plan       what is going to happen
//! report     what happened, and the exit code          journal    the record that survives a kill
//! browse     look                                      capture    copy to an archive
//! publish    messages -> queue                         replay     queue -> origin or another queue
//! drain      queue -> archive, or nowhere             groups     which died of the same cause
//! verify     what became of the copies                undo       what was moved -> back
//! masks      what people get to see                   incident   the report on what broke
//! edit       change messages on their way
//! offsets    consumer groups' places in a log
//! handled    what of a log earlier runs are done with
//! options    what a run was begun with, as it is typed
//! doubt      what may have been sent: whether it arrived
//! expiry     when messages vanish, and which go first for it
//! private    files of this user alone
//! snapshot   a look that is kept
//! ```
//!
//! The one rule of everything that writes: the original is removed only after its copy is confirmed *and* the journal
//! says so on disk. An answer that was lost is ambiguous: the original stays.

pub mod browse;
pub mod capture;
pub mod columns;
pub mod consent;
pub mod control;
mod course;
mod doubt;
pub mod drain;
pub mod edit;
mod expiry;
mod fit;
pub(crate) mod glance;
pub mod groups;
pub mod handled;
pub mod incident;
pub mod journal;
pub mod masks;
pub mod offsets;
pub mod options;
mod order;
mod pace;
pub mod place;
pub mod plan;
pub mod planned;
pub(crate) mod private;
pub mod progress;
pub mod publish;
pub mod queues;
pub mod replay;
pub mod report;
mod restore;
pub mod resume;
mod rights;
mod scan;
pub mod select;
pub mod session;
pub mod snapshot;
mod source;
mod transfer;
pub mod undo;
pub mod verify;
pub mod wholesale;
mod wording;
