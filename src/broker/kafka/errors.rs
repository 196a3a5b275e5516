//! What librdkafka's errors mean for the caller, as one sentence each.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::error::{Error, ErrorKind};

/// No broker of the cluster answers.
pub(super) fn unreachable(place: &str, reason: Option<&str>) -> Error {
    let why = reason.map_or_else(|| "no broker answers".to_owned(), ToOwned::to_owned);
    let hint = if why.contains("certificate") || why.contains("SSL") || why.contains("ssl") {
        "check security.protocol, and the authority of the brokers' certificates (tls.ca)"
    } else if why.contains("Disconnected") {
        "a broker that hangs up at once often wants TLS or a login: check security.protocol"
    } else {
        "check hosts and ports, and that this machine may reach them"
    };
    Error::new(ErrorKind::Unreachable, format!("can't reach {place}: {why}")).hint(hint)
}

/// The cluster did not let us in.
pub(super) fn denied(place: &str, reason: &str) -> Error {
    Error::new(ErrorKind::Denied, format!("{place} refused the login: {reason}"))
        .hint("check user, password and sasl.mechanism")
}

/// The code inside an error, where there is one.
pub(super) fn code(error: &KafkaError) -> Option<Code> {
    error.rdkafka_error_code()
}

/// Whether the same call may succeed a little later.
pub(super) fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::OperationTimedOut
            | Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::RequestTimedOut
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::CoordinatorLoadInProgress
            | Code::NetworkException
            | Code::BrokerNotAvailable
            | Code::ReplicaNotAvailable
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::TimedOutQueue
            | Code::NodeUpdate
            | Code::Resolve
    )
}

/// The error for a call that failed while `doing` something (`reading "orders"`).
pub(super) fn explain(doing: &str, error: &KafkaError) -> Error {
    match (error, code(error)) {
        (KafkaError::ClientConfig(_, description, name, _), _) => {
            Error::new(ErrorKind::Config, format!("the Kafka option {name:?} is not accepted: {description}"))
                .hint("librdkafka's configuration page lists every option and its values")
        }
        (KafkaError::ClientCreation(why), _) => {
            Error::new(ErrorKind::Config, format!("the options of the Kafka connection do not fit together: {why}"))
        }
        (_, Some(code)) => meaning(doing, code),
        (_, None) => Error::new(ErrorKind::Unexpected, format!("{doing} failed: {error}")),
    }
}

/// What a code of the protocol means.
pub(super) fn meaning(doing: &str, code: Code) -> Error {
    let (kind, hint) = match code {
        Code::UnknownTopicOrPartition
        | Code::UnknownTopic
        | Code::UnknownPartition
        | Code::InvalidTopic
        | Code::UnknownTopicId => (ErrorKind::NotFound, Some("`postroom queues` lists what there is")),
        Code::TopicAuthorizationFailed => {
            (ErrorKind::Denied, Some("the user lacks a right on the topic (kafka-acls.sh lists them)"))
        }
        Code::GroupAuthorizationFailed => {
            (ErrorKind::Denied, Some("the user lacks a right on the consumer group (kafka-acls.sh lists them)"))
        }
        Code::ClusterAuthorizationFailed => {
            (ErrorKind::Denied, Some("the user lacks a right on the cluster (kafka-acls.sh lists them)"))
        }
        Code::Authentication | Code::SaslAuthenticationFailed => {
            (ErrorKind::Denied, Some("check user, password and sasl.mechanism"))
        }
        Code::UnsupportedFeature | Code::UnsupportedVersion | Code::NotImplemented => (ErrorKind::Unsupported, None),
        Code::PolicyViolation => {
            (ErrorKind::Unsupported, Some("records of a topic that is only compacted can't be removed"))
        }
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge => {
            (ErrorKind::Rejected, Some("raise the topic's max.message.bytes, or leave the record where it is"))
        }
        Code::InvalidRecord | Code::InvalidMessage | Code::InvalidTimestamp | Code::InvalidMessageSize => {
            (ErrorKind::Rejected, None)
        }
        code if is_passing(code) => (ErrorKind::Unreachable, Some("nothing was changed by it; try again")),
        _ => (ErrorKind::Unexpected, None),
    };
    let error = Error::new(kind, format!("{doing} failed: {code}"));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_meaning() {
        let kind = |code| meaning("x", code).kind();
        assert_eq!(kind(Code::UnknownTopicOrPartition), ErrorKind::NotFound);
        assert_eq!(kind(Code::TopicAuthorizationFailed), ErrorKind::Denied);
        assert_eq!(kind(Code::MessageSizeTooLarge), ErrorKind::Rejected);
        assert_eq!(kind(Code::BrokerTransportFailure), ErrorKind::Unreachable);
        assert_eq!(kind(Code::PolicyViolation), ErrorKind::Unsupported);
    }
}
