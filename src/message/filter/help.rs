//! The text of `postroom help filter`. Its examples are tests.

/// One example: an expression and what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// The expression.
    pub expression: &'static str,
    /// What it finds.
    pub finds: &'static str,
}

const fn example(expression: &'static str, finds: &'static str) -> Example {
    Example { expression, finds }
}

/// The examples in the help text. `tests` holds a message that each of them finds.
pub const EXAMPLES: &[Example] = &[
    example("timeout", "the text anywhere: key, payload, header names and values, id"),
    example("\"card declined\" acme", "both texts; quotes hold spaces together"),
    example("reason:timeout class~Serial", "died of a timeout, and the class matches the regex"),
    example("reason:rejected or reason:expired", "either; `or` binds weaker than a space"),
    example("-origin:payments", "did not die in payments; `not` is the same"),
    example("body.order.total>100", "a number in the JSON payload"),
    example("body.order.items[].sku=A-17", "any element of a list; [0] is the first"),
    example("body.\"odd name\":*", "a member with that name is there"),
    example("body.Message.detail.id=17", "also where Message is a string that holds JSON"),
    example("header.tenant=acme", "any of the headers of that name is exactly this"),
    example("property.content_type:json", "what the broker says beside the headers"),
    example("age<2h attempts>=3", "young, and tried often"),
    example("time>=2026-03-02T10:00:00Z", "by the clock; time>-2h counts back from now"),
    example("size>10kb", "key, headers and payload together"),
    example("type:order -shape=null", "declares that type, and has a payload"),
    example("(group=g-5f3a9c or key:order) -format:json", "parentheses group"),
];

const HEAD: &str = "\
Filters

A filter says which messages a verb takes: --filter EXPR.

  WORD              the text anywhere: key, payload, header names and values, id
  FIELD:TEXT        a value contains it      FIELD:*   there is a value
  FIELD=VALUE       a value equals it        FIELD!=VALUE   none does
  FIELD<VALUE       also <= > >=             FIELD~REGEX    a value matches
  A B               both (or: A and B)
  A or B            either; binds weaker than `and`
  -A, not A         the opposite
  ( )  \" \"          grouping, and texts with spaces or operators in them

Fields
  body              the payload, as it came and in its decoded form
  body.a.b[0]       a place in it; [] is any element, body.\"odd name\" is quoted
  key               Kafka's key, RabbitMQ's routing key, SQS's group
  header.NAME       property.NAME     id     offset     partition     size
  reason            why it died: message, class, the broker's reason
  class  origin  group  attempts
  time              when it was taken in, else when it died;  age   since then
  format            what the payload is: json, gzip, base64, avro, cloudevents
  type              what it declares to be, else its shape
  shape             the keys of its JSON

Rules
  Words and : take lower case for any case; one capital makes them exact.
  =, != and regexes are exact; (?i) in front of a regex ignores case.
  = compares a number by value, all else by text: body.n=100 matches 100, 100.0
  and \"100\"; body.n=\"100\" only the text.
  < and > compare numbers, times, durations (90s, 5m, 2h, 1d12h, 1w) and sizes
  (10kb, 4mib); anything else never matches. Times are 2026-03-02,
  2026-03-02T10:00:00Z, or -2h for two hours ago.
  A header that repeats matches when any of its values does. What is missing
  matches nothing but != and not. A payload in another format (gzip, base64,
  MessagePack, Avro and Protobuf with a schema, and others) is matched in its
  decoded form as well as raw.
  A path goes on into a string that holds JSON, or base64 of gzip, zlib, zstd,
  LZ4, JSON or XML; words and body:TEXT see such a string as it is.

Examples
";

/// The whole text, 80 columns wide, ending in a line end.
#[must_use]
pub fn help() -> String {
    let mut text = HEAD.to_owned();
    for Example { expression, finds } in EXAMPLES {
        text.extend(["  ", expression, "\n      ", finds, "\n"]);
    }
    text
}
