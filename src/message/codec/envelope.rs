//! What a JSON object is an instance of: CloudEvents and the envelopes of AWS, by the names of its members.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

/// A name, and the members that all must be there. The first that fits wins.
const ENVELOPES: &[(&str, &[&str])] = &[
    ("cloudevents", &["specversion", "id", "source", "type"]),
    ("sns", &["Type", "TopicArn", "Message"]),
    ("eventbridge", &["detail-type", "source", "detail"]),
    ("lambda-destination", &["requestContext", "requestPayload"]),
    ("aws-records", &["Records"]),
    ("s3-pointer", &["s3BucketName", "s3Key"]),
];

/// The first member name of a pointer to a large payload in S3, written by AWS's extended clients as a list of two.
const S3_POINTER: &str = "software.amazon.payloadoffloading.PayloadS3Pointer";

/// The envelopes that a JSON text is.
pub(super) fn labels(json: &[u8]) -> Vec<&'static str> {
    if json.trim_ascii_start().starts_with(b"[") {
        return if memchr::memmem::find(json, S3_POINTER.as_bytes()).is_some() {
            vec!["s3-pointer"]
        } else {
            Vec::new()
        };
    }
    let known: Vec<&'static str> = ENVELOPES.iter().flat_map(|(_, members)| members.iter().copied()).collect();
    let Ok(found) = serde_json::Deserializer::from_slice(json).deserialize_map(Members { known: &known }) else {
        return Vec::new();
    };
    let fits = |(_, members): &&(&str, &[&str])| members.iter().all(|member| found.contains(member));
    ENVELOPES.iter().find(fits).map(|(label, _)| *label).into_iter().collect()
}

/// Collects those member names that are known.
struct Members<'a> {
    known: &'a [&'static str],
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Vec<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(name) = object.next_key::<std::borrow::Cow<'_, str>>()? {
            found.extend(self.known.iter().find(|known| **known == name));
            object.next_value::<IgnoredAny>()?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_are_known_by_their_members() {
        for (json, label) in [
            (r#"{"specversion":"1.0","id":"1","source":"/a","type":"order.placed","data":{}}"#, "cloudevents"),
            (r#"{"Type":"Notification","TopicArn":"arn:aws:sns:x","Message":"{}"}"#, "sns"),
            (r#"{"detail-type":"a","source":"b","detail":{},"id":"1"}"#, "eventbridge"),
            (r#"{"Records":[{"s3":{}}]}"#, "aws-records"),
            (
                r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]"#,
                "s3-pointer",
            ),
        ] {
            assert_eq!(labels(json.as_bytes()), [label], "{json}");
        }
        for json in ["{}", "[]", "{\"id\":1", "17", ""] {
            assert!(labels(json.as_bytes()).is_empty(), "{json}");
        }
    }
}
