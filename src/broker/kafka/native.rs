//! Questions and orders that librdkafka has and its Rust client lacks, or puts on a connection of their own.
//!
//! The one file with `unsafe` in it. Why: the client library describes groups by the classic protocol only (one of the new
//! protocol looks dead to it), can't read or move another group's offsets without a connection for each, and its admin
//! client serves no renewal of tokens. librdkafka answers all of it on any client, so it is asked here on the consumer
//! that the other questions use. What keeps it sound: every request has a queue of its own, waits for its one answer,
//! and copies out of the answer before it is destroyed; nothing of librdkafka's leaves this file.
//!
//! Limits: names that are not UTF-8 are left out. Calls block, at most for the time that is given with them.
#![allow(unsafe_code, reason = "see above: these calls exist only in librdkafka's C interface")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka::bindings::{self as c, rd_kafka_admin_op_t as Op};
use rdkafka::client::Client;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::context::Context;

/// How long an answer is waited for beyond the time that librdkafka has for it.
const GRACE: Duration = Duration::from_millis(500);

/// A partition, an offset, and what went wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) topic: String,
    pub(super) partition: i32,
    /// `None` for none.
    pub(super) offset: Option<u64>,
    pub(super) error: Option<Code>,
}

/// A consumer group as its coordinator describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) name: String,
    /// `classic`, `consumer`, `unknown`.
    pub(super) kind: &'static str,
    pub(super) state: &'static str,
    /// Whether the coordinator says that nobody is in it.
    pub(super) vacant: bool,
    pub(super) members: u64,
    /// What its members have been given.
    pub(super) assigned: Vec<(String, i32)>,
    pub(super) error: Option<Code>,
}

/// The groups that there are, and what went wrong at some of the brokers.
///
/// # Errors
/// What librdkafka says to the question as a whole.
pub(super) fn groups(client: &BaseConsumer<Context>, within: Duration) -> KafkaResult<(Vec<String>, Vec<Code>)> {
    let request = Request::new(client, Op::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, within)?;
    // SAFETY: client, options and queue live until the answer is read.
    unsafe { c::rd_kafka_ListConsumerGroups(request.client, request.options.get(), request.queue.get()) };
    let answer = request.wait(c::RD_KAFKA_EVENT_LISTCONSUMERGROUPS_RESULT)?;
    // SAFETY: the type of the event was checked; what is read belongs to the event, which lives to the end of this.
    unsafe {
        let result = c::rd_kafka_event_ListConsumerGroups_result(answer.get());
        let valid = elements(|count| c::rd_kafka_ListConsumerGroups_result_valid(result, count));
        let errors = elements(|count| c::rd_kafka_ListConsumerGroups_result_errors(result, count));
        let names = valid.iter().filter_map(|group| text(c::rd_kafka_ConsumerGroupListing_group_id(*group)));
        let errors = errors.iter().map(|error| Code::from(c::rd_kafka_error_code(*error)));
        Ok((names.collect(), errors.collect()))
    }
}

/// States and members of these groups.
///
/// # Errors
/// What librdkafka says to the question as a whole.
pub(super) fn describe(
    client: &BaseConsumer<Context>,
    groups: &[String],
    within: Duration,
) -> KafkaResult<Vec<Described>> {
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let names = groups.iter().map(|name| CString::new(name.as_str())).collect::<Result<Vec<_>, _>>()?;
    let mut asked: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let request = Request::new(client, Op::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, within)?;
    // SAFETY: the names are copied by the call; client, options and queue live until the answer is read.
    unsafe {
        c::rd_kafka_DescribeConsumerGroups(
            request.client,
            asked.as_mut_ptr(),
            asked.len(),
            request.options.get(),
            request.queue.get(),
        );
    }
    let answer = request.wait(c::RD_KAFKA_EVENT_DESCRIBECONSUMERGROUPS_RESULT)?;
    // SAFETY: as in `groups`.
    unsafe {
        let result = c::rd_kafka_event_DescribeConsumerGroups_result(answer.get());
        let found = elements(|count| c::rd_kafka_DescribeConsumerGroups_result_groups(result, count));
        Ok(found.iter().filter_map(|group| described(*group)).collect())
    }
}

/// # Safety
/// The group must be alive.
unsafe fn described(group: *const c::rd_kafka_ConsumerGroupDescription_t) -> Option<Described> {
    use c::rd_kafka_consumer_group_state_t as State;
    use c::rd_kafka_consumer_group_type_t as Type;
    // SAFETY: the caller's.
    unsafe {
        let (state, vacant) = match c::rd_kafka_ConsumerGroupDescription_state(group) {
            State::RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE => ("PreparingRebalance", false),
            State::RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE => ("CompletingRebalance", false),
            State::RD_KAFKA_CONSUMER_GROUP_STATE_STABLE => ("Stable", false),
            State::RD_KAFKA_CONSUMER_GROUP_STATE_DEAD => ("Dead", true),
            State::RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY => ("Empty", true),
            // Those of the new protocol that have no counterpart in the old: Assigning, Reconciling.
            _ => ("Unknown", false),
        };
        let kind = match c::rd_kafka_ConsumerGroupDescription_type(group) {
            Type::RD_KAFKA_CONSUMER_GROUP_TYPE_CONSUMER => "consumer",
            Type::RD_KAFKA_CONSUMER_GROUP_TYPE_CLASSIC => "classic",
            _ => "unknown",
        };
        let members = c::rd_kafka_ConsumerGroupDescription_member_count(group);
        let mut assigned = Vec::new();
        for index in 0..members {
            let member = c::rd_kafka_ConsumerGroupDescription_member(group, index);
            if member.is_null() {
                continue;
            }
            let assignment = c::rd_kafka_MemberDescription_assignment(member);
            if !assignment.is_null() {
                let places = places(c::rd_kafka_MemberAssignment_partitions(assignment));
                assigned.extend(places.into_iter().map(|place| (place.topic, place.partition)));
            }
        }
        let error = failure(c::rd_kafka_ConsumerGroupDescription_error(group));
        let name = text(c::rd_kafka_ConsumerGroupDescription_group_id(group))?;
        Some(Described { name, kind, state, vacant, members: members as u64, assigned, error })
    }
}

/// What a group has committed in these partitions of a topic.
///
/// # Errors
/// What the group's coordinator says.
pub(super) fn committed(
    client: &BaseConsumer<Context>,
    group: &str,
    topic: &str,
    partitions: &[i32],
    within: Duration,
) -> KafkaResult<Vec<Place>> {
    let name = CString::new(group)?;
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        list.add_partition(topic, *partition);
    }
    // SAFETY: name and list are copied by the call.
    let asked = unsafe {
        let asked = c::rd_kafka_ListConsumerGroupOffsets_new(name.as_ptr(), list.ptr());
        Owned::new(asked, c::rd_kafka_ListConsumerGroupOffsets_destroy)?
    };
    let request = Request::new(client, Op::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, within)?;
    // SAFETY: what is asked is copied; client, options and queue live until the answer is read.
    unsafe {
        let (mut pointer, options, queue) = (asked.get(), request.options.get(), request.queue.get());
        c::rd_kafka_ListConsumerGroupOffsets(request.client, &raw mut pointer, 1, options, queue);
    }
    let answer = request.wait(c::RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT)?;
    // SAFETY: as in `groups`.
    unsafe {
        let result = c::rd_kafka_event_ListConsumerGroupOffsets_result(answer.get());
        of_one_group(&elements(|count| c::rd_kafka_ListConsumerGroupOffsets_result_groups(result, count)))
    }
}

/// Moves a group's offsets. Each partition of the answer has its own error.
///
/// # Errors
/// What the group's coordinator says to all of it. Where the answer is lost they may have moved.
pub(super) fn commit(
    client: &BaseConsumer<Context>,
    group: &str,
    topic: &str,
    offsets: &[(i32, u64)],
    within: Duration,
) -> KafkaResult<Vec<Place>> {
    let name = CString::new(group)?;
    let list = offset_list(topic, offsets)?;
    // SAFETY: name and list are copied by the call.
    let asked = unsafe {
        let asked = c::rd_kafka_AlterConsumerGroupOffsets_new(name.as_ptr(), list.ptr());
        Owned::new(asked, c::rd_kafka_AlterConsumerGroupOffsets_destroy)?
    };
    let request = Request::new(client, Op::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, within)?;
    // SAFETY: as in `committed`.
    unsafe {
        let (mut pointer, options, queue) = (asked.get(), request.options.get(), request.queue.get());
        c::rd_kafka_AlterConsumerGroupOffsets(request.client, &raw mut pointer, 1, options, queue);
    }
    let answer = request.wait(c::RD_KAFKA_EVENT_ALTERCONSUMERGROUPOFFSETS_RESULT)?;
    // SAFETY: as in `groups`.
    unsafe {
        let result = c::rd_kafka_event_AlterConsumerGroupOffsets_result(answer.get());
        of_one_group(&elements(|count| c::rd_kafka_AlterConsumerGroupOffsets_result_groups(result, count)))
    }
}

/// Whether a record that was not delivered may be in the log all the same; else it was never sent, or the broker said no.
pub(super) fn may_be_there(undelivered: &BorrowedMessage<'_>) -> bool {
    // SAFETY: the record lives as long as the borrow, and is only read.
    let status = unsafe { c::rd_kafka_message_status(undelivered.ptr()) };
    status != c::rd_kafka_msg_status_t::RD_KAFKA_MSG_STATUS_NOT_PERSISTED
}

/// Removes everything before these offsets. Each partition of the answer has its own error.
///
/// # Errors
/// What the cluster says to all of it. Where the answer is lost the records may be gone.
pub(super) fn delete_records(
    client: &BaseConsumer<Context>,
    topic: &str,
    before: &[(i32, u64)],
    within: Duration,
) -> KafkaResult<Vec<Place>> {
    let list = offset_list(topic, before)?;
    // SAFETY: the list is copied by the call.
    let asked = unsafe { Owned::new(c::rd_kafka_DeleteRecords_new(list.ptr()), c::rd_kafka_DeleteRecords_destroy)? };
    let request = Request::new(client, Op::RD_KAFKA_ADMIN_OP_DELETERECORDS, within)?;
    // SAFETY: as in `committed`.
    unsafe {
        let (mut pointer, options, queue) = (asked.get(), request.options.get(), request.queue.get());
        let (millis, why) = (milliseconds(within), ptr::null_mut());
        c::rd_kafka_AdminOptions_set_operation_timeout(options, millis, why, 0);
        c::rd_kafka_DeleteRecords(request.client, &raw mut pointer, 1, options, queue);
    }
    let answer = request.wait(c::RD_KAFKA_EVENT_DELETERECORDS_RESULT)?;
    // SAFETY: as in `groups`.
    unsafe {
        Ok(places(c::rd_kafka_DeleteRecords_result_offsets(c::rd_kafka_event_DeleteRecords_result(answer.get()))))
    }
}

/// The settings of topics by topic and name; a topic that may not be asked for is missing.
///
/// # Errors
/// What the cluster says to the question as a whole.
pub(super) fn settings(
    client: &BaseConsumer<Context>,
    topics: &[String],
    within: Duration,
) -> KafkaResult<BTreeMap<String, BTreeMap<String, String>>> {
    let mut asked = Vec::with_capacity(topics.len());
    for topic in topics {
        let name = CString::new(topic.as_str())?;
        // SAFETY: the name is copied by the call.
        asked.push(unsafe {
            let resource =
                c::rd_kafka_ConfigResource_new(c::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC, name.as_ptr());
            Owned::new(resource, c::rd_kafka_ConfigResource_destroy)?
        });
    }
    let mut pointers: Vec<_> = asked.iter().map(Owned::get).collect();
    let request = Request::new(client, Op::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, within)?;
    // SAFETY: as in `committed`.
    unsafe {
        let (options, queue) = (request.options.get(), request.queue.get());
        c::rd_kafka_DescribeConfigs(request.client, pointers.as_mut_ptr(), pointers.len(), options, queue);
    }
    let answer = request.wait(c::RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT)?;
    // SAFETY: as in `groups`.
    unsafe {
        let result = c::rd_kafka_event_DescribeConfigs_result(answer.get());
        let found = elements(|count| c::rd_kafka_DescribeConfigs_result_resources(result, count));
        let allowed = found.iter().filter(|resource| {
            c::rd_kafka_ConfigResource_error(**resource) == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
        });
        let settings = allowed.filter_map(|resource| {
            let entries = elements(|count| c::rd_kafka_ConfigResource_configs(*resource, count));
            let entries = entries.iter().filter_map(|entry| {
                Some((text(c::rd_kafka_ConfigEntry_name(*entry))?, text(c::rd_kafka_ConfigEntry_value(*entry))?))
            });
            Some((text(c::rd_kafka_ConfigResource_name(*resource))?, entries.collect()))
        });
        Ok(settings.collect())
    }
}

/// Something that a user may be allowed to do with a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    Write,
    Delete,
}

/// What the user may do with a topic; `None` where the cluster does not say, as one without authorisation does not.
///
/// # Errors
/// What the cluster says to the question.
pub(super) fn operations(
    client: &BaseConsumer<Context>,
    topic: &str,
    within: Duration,
) -> KafkaResult<Option<Vec<Operation>>> {
    use c::rd_kafka_AclOperation_t as Acl;
    let name = CString::new(topic)?;
    let mut names = [name.as_ptr()];
    let request = Request::new(client, Op::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, within)?;
    // SAFETY: the name is copied by the call; what is made here is destroyed by its owner. Client, options and queue live
    // until the answer is read.
    let asked = unsafe {
        let wanted = c::rd_kafka_AdminOptions_set_include_authorized_operations(request.options.get(), 1);
        if !wanted.is_null() {
            c::rd_kafka_error_destroy(wanted);
            return Ok(None);
        }
        let asked = c::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        let asked = Owned::new(asked, c::rd_kafka_TopicCollection_destroy)?;
        c::rd_kafka_DescribeTopics(request.client, asked.get(), request.options.get(), request.queue.get());
        asked
    };
    let answer = request.wait(c::RD_KAFKA_EVENT_DESCRIBETOPICS_RESULT)?;
    drop(asked);
    // SAFETY: as in `groups`; the operations are as many as the call says.
    unsafe {
        let result = c::rd_kafka_event_DescribeTopics_result(answer.get());
        let topics = elements(|count| c::rd_kafka_DescribeTopics_result_topics(result, count));
        let topic = *topics.first().ok_or(KafkaError::Global(Code::BadMessage))?;
        if let Some(code) = failure(c::rd_kafka_TopicDescription_error(topic)) {
            return Err(KafkaError::Global(code));
        }
        let mut count = 0;
        let first = c::rd_kafka_TopicDescription_authorized_operations(topic, &raw mut count);
        if first.is_null() || count == 0 {
            return Ok(None);
        }
        let known = std::slice::from_raw_parts(first, count).iter().filter_map(|operation| match operation {
            Acl::RD_KAFKA_ACL_OPERATION_READ => Some(Operation::Read),
            Acl::RD_KAFKA_ACL_OPERATION_WRITE => Some(Operation::Write),
            Acl::RD_KAFKA_ACL_OPERATION_DELETE => Some(Operation::Delete),
            _ => None,
        });
        Ok(Some(known.collect()))
    }
}

/// Gives a client the token to log in with, which ends so long after 1970; and what goes with it, name by name.
///
/// # Errors
/// Why librdkafka does not take it.
pub(super) fn set_token(
    client: &Client<Context>,
    token: &str,
    principal: &str,
    until: Duration,
    extensions: &[(String, String)],
) -> Result<(), String> {
    let zero = "there is a zero byte in it".to_owned();
    let text = |text: &str| CString::new(text).map_err(|_| zero.clone());
    let (token, principal) = (text(token)?, text(principal)?);
    let pairs = extensions.iter().flat_map(|(name, value)| [name, value]);
    let pairs = pairs.map(|part| text(part)).collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<*const c_char> = pairs.iter().map(|part| part.as_ptr()).collect();
    let mut why = [0_u8; 512];
    // SAFETY: everything is copied by the call, and the lengths are those of what is pointed to.
    let code = unsafe {
        c::rd_kafka_oauthbearer_set_token(
            client.native_ptr(),
            token.as_ptr(),
            i64::try_from(until.as_millis()).unwrap_or(i64::MAX),
            principal.as_ptr(),
            pointers.as_mut_ptr(),
            pointers.len(),
            why.as_mut_ptr().cast(),
            why.len(),
        )
    };
    if Code::from(code) == Code::NoError {
        return Ok(());
    }
    let why = CStr::from_bytes_until_nul(&why).unwrap_or_default();
    Err(why.to_string_lossy().into_owned())
}

/// A request on its way: what librdkafka needs until it has answered.
struct Request {
    client: *mut c::rd_kafka_t,
    options: Owned<c::rd_kafka_AdminOptions_t>,
    queue: Owned<c::rd_kafka_queue_t>,
    within: Duration,
}

impl Request {
    fn new(client: &BaseConsumer<Context>, op: Op, within: Duration) -> KafkaResult<Self> {
        let client = client.client().native_ptr();
        // SAFETY: the client is borrowed for as long as the caller waits, and both objects are destroyed before it ends.
        unsafe {
            let options = Owned::new(c::rd_kafka_AdminOptions_new(client, op), c::rd_kafka_AdminOptions_destroy)?;
            let queue = Owned::new(c::rd_kafka_queue_new(client), c::rd_kafka_queue_destroy)?;
            let code =
                c::rd_kafka_AdminOptions_set_request_timeout(options.get(), milliseconds(within), ptr::null_mut(), 0);
            fail(code.into())?;
            Ok(Self { client, options, queue, within })
        }
    }

    /// The answer, which is of that type and has no error as a whole.
    fn wait(&self, kind: i32) -> KafkaResult<Owned<c::rd_kafka_event_t>> {
        // SAFETY: the queue is ours, and so is the event that comes out of it.
        unsafe {
            let event = c::rd_kafka_queue_poll(self.queue.get(), milliseconds(self.within + GRACE));
            if event.is_null() {
                return Err(KafkaError::Global(Code::OperationTimedOut));
            }
            let event = Owned::new(event, c::rd_kafka_event_destroy)?;
            fail(c::rd_kafka_event_error(event.get()).into())?;
            if c::rd_kafka_event_type(event.get()) != kind {
                return Err(KafkaError::Global(Code::BadMessage));
            }
            Ok(event)
        }
    }
}

/// Something of librdkafka's that we must destroy.
struct Owned<T> {
    pointer: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// # Safety
    /// The pointer must be null or ours, and the function the one that destroys what it points to.
    unsafe fn new(pointer: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> KafkaResult<Self> {
        let pointer = NonNull::new(pointer).ok_or(KafkaError::Global(Code::InvalidArgument))?;
        Ok(Self { pointer, destroy })
    }

    fn get(&self) -> *mut T {
        self.pointer.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: promised to `new`, and nothing uses it afterwards.
        unsafe { (self.destroy)(self.pointer.as_ptr()) };
    }
}

fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1)
}

fn fail(code: Code) -> KafkaResult<()> {
    if code == Code::NoError { Ok(()) } else { Err(KafkaError::Global(code)) }
}

fn offset_list(topic: &str, offsets: &[(i32, u64)]) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, offset) in offsets {
        let offset = i64::try_from(*offset).map_err(|_| KafkaError::Global(Code::InvalidArgument))?;
        list.add_partition_offset(topic, *partition, Offset::Offset(offset))?;
    }
    Ok(list)
}

/// An array of librdkafka's with its length beside it.
///
/// # Safety
/// What the call gives must be valid for as many elements as it says, for as long as they are used.
unsafe fn elements<T>(call: impl FnOnce(*mut usize) -> *mut *const T) -> Vec<*const T> {
    let mut count = 0;
    let first = call(&raw mut count);
    if first.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's.
    unsafe { std::slice::from_raw_parts(first.cast_const(), count) }.to_vec()
}

/// # Safety
/// Null, or a text that ends in zero.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    // SAFETY: the caller's.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) })?.to_str().ok().map(str::to_owned)
}

/// # Safety
/// Null, or an error that is alive.
unsafe fn failure(error: *const c::rd_kafka_error_t) -> Option<Code> {
    // SAFETY: the caller's.
    let code = (!error.is_null()).then(|| unsafe { c::rd_kafka_error_code(error) })?;
    Some(Code::from(code)).filter(|code| *code != Code::NoError)
}

/// # Safety
/// Null, or a list that is alive.
unsafe fn places(list: *const c::rd_kafka_topic_partition_list_t) -> Vec<Place> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: a list has as many elements as it says; the topic of each is a text.
    unsafe {
        let count = usize::try_from((*list).cnt).unwrap_or_default();
        if count == 0 || (*list).elems.is_null() {
            return Vec::new();
        }
        let elements = std::slice::from_raw_parts((*list).elems, count);
        let place = |element: &c::rd_kafka_topic_partition_t| {
            let error = Some(Code::from(element.err)).filter(|code| *code != Code::NoError);
            let offset = u64::try_from(element.offset).ok();
            Some(Place { topic: text(element.topic)?, partition: element.partition, offset, error })
        };
        elements.iter().filter_map(place).collect()
    }
}

/// The partitions of an answer about one group.
///
/// # Safety
/// The groups must be alive.
unsafe fn of_one_group(groups: &[*const c::rd_kafka_group_result_t]) -> KafkaResult<Vec<Place>> {
    let group = *groups.first().ok_or(KafkaError::Global(Code::BadMessage))?;
    // SAFETY: the caller's.
    unsafe {
        match failure(c::rd_kafka_group_result_error(group)) {
            Some(code) => Err(KafkaError::Global(code)),
            None => Ok(places(c::rd_kafka_group_result_partitions(group))),
        }
    }
}
