//! Grouping on a corpus of 60 causes with 50 variants each, in seven languages: every value that can vary does, and
//! causes are alike on purpose (one class and message at two places, one place with two messages).

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::format_push_string,
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "a corpus is written as it reads, and counted in small numbers"
)]

use std::collections::{BTreeMap, BTreeSet};

use postroom::message::failure::detect;
use postroom::message::fingerprint::{GroupId, Rules, fingerprint};
use postroom::message::{Fields, Message, Value};

const VARIANTS: u64 = 50;

/// Language, class, message, application frames from the innermost. Slots in braces are filled anew in each variant.
type Cause = (&'static str, &'static str, &'static str, &'static [&'static str]);

const CAUSES: [Cause; 60] = [
    (
        "java",
        "java.net.SocketTimeoutException",
        "Read timed out",
        &["com.acme.http.Client.post", "com.acme.pay.Gateway.charge"],
    ),
    (
        "java",
        "java.net.SocketTimeoutException",
        "Read timed out",
        &["com.acme.http.Client.post", "com.acme.stock.Stock.reserve"],
    ),
    ("java", "java.net.ConnectException", "Connection refused: {host}/{ip}:{port}", &["com.acme.tax.TaxClient.quote"]),
    ("java", "java.net.UnknownHostException", "{host}: Name or service not known", &["com.acme.tax.TaxClient.resolve"]),
    (
        "java",
        "java.lang.NullPointerException",
        "Cannot invoke {q} because the return value of {q} is null",
        &["com.acme.orders.Prices.round"],
    ),
    (
        "java",
        "java.lang.IllegalArgumentException",
        "amount {money} of order {id} is negative",
        &["com.acme.orders.Orders.check"],
    ),
    ("java", "java.lang.IllegalArgumentException", "order {id} has no lines", &["com.acme.orders.Orders.check"]),
    (
        "java",
        "org.postgresql.util.PSQLException",
        "ERROR: duplicate key value violates unique constraint {q}",
        &["com.acme.pay.Store.save"],
    ),
    ("java", "org.postgresql.util.PSQLException", "ERROR: deadlock detected", &["com.acme.pay.Store.save"]),
    (
        "java",
        "com.fasterxml.jackson.databind.exc.MismatchedInputException",
        "Cannot deserialize value of type `java.math.BigDecimal` from String {q}: not a valid representation at [Source: (byte[])[{n} bytes]; line: {n}, column: {n}]",
        &[],
    ),
    (
        "java",
        "com.acme.ship.LabelException",
        "carrier answered {n} ms late for parcel {id} to {mail}",
        &["com.acme.ship.Labels.print"],
    ),
    ("java", "java.nio.file.NoSuchFileException", "{path}", &["com.acme.ship.Labels.template"]),
    (
        "dotnet",
        "System.TimeoutException",
        "The operation has timed out after {time}.",
        &["Acme.Billing.Gateway.ChargeAsync", "Acme.Billing.ChargeHandler.Handle"],
    ),
    (
        "dotnet",
        "System.TimeoutException",
        "The operation has timed out after {time}.",
        &["Acme.Billing.Gateway.RefundAsync", "Acme.Billing.RefundHandler.Handle"],
    ),
    ("dotnet", "System.InvalidOperationException", "Sequence contains no elements", &["Acme.Catalog.Finder.First"]),
    (
        "dotnet",
        "System.FormatException",
        "The input string {q} was not in a correct format.",
        &["Acme.Catalog.Parser.Price"],
    ),
    (
        "dotnet",
        "Npgsql.PostgresException",
        "23505: duplicate key value violates unique constraint {q}",
        &["Acme.Catalog.Repo.Insert"],
    ),
    (
        "dotnet",
        "System.IO.IOException",
        "The process cannot access the file {q} because it is being used by another process.",
        &["Acme.Export.Writer.Open"],
    ),
    (
        "dotnet",
        "System.Net.Http.HttpRequestException",
        "No connection could be made because the target machine actively refused it. ({host}:{port})",
        &["Acme.Export.Upload.Send"],
    ),
    ("dotnet", "System.ArgumentNullException", "Value cannot be null. (Parameter {q})", &["Acme.Export.Mapper.Map"]),
    ("dotnet", "Acme.Mail.AddressException", "{mail} is no address for customer {id}", &["Acme.Mail.Envelope.Add"]),
    (
        "dotnet",
        "System.Collections.Generic.KeyNotFoundException",
        "The given key {q} was not present in the dictionary.",
        &["Acme.Mail.Templates.Get"],
    ),
    (
        "python",
        "TimeoutError",
        "order {id} got no answer in {n} seconds",
        &["orders/gateway.py charge", "orders/tasks.py handle"],
    ),
    ("python", "KeyError", "{q}", &["orders/pickup.py book"]),
    ("python", "KeyError", "{q}", &["orders/returns.py book"]),
    ("python", "ValueError", "invalid literal for int() with base 10: {q}", &["catalog/prices.py parse"]),
    (
        "python",
        "psycopg2.errors.UniqueViolation",
        "duplicate key value violates unique constraint {q} DETAIL: Key (order_id)=({id}) already exists.",
        &["catalog/store.py insert"],
    ),
    (
        "python",
        "requests.exceptions.ConnectionError",
        "HTTPSConnectionPool(host={q}, port={port}): Max retries exceeded with url: {path}",
        &["catalog/client.py fetch"],
    ),
    ("python", "PIL.UnidentifiedImageError", "cannot identify image file {q}", &["media/thumbs.py render"]),
    ("python", "FileNotFoundError", "[Errno 2] No such file or directory: {q}", &["media/thumbs.py load"]),
    ("python", "ZeroDivisionError", "division by zero", &["media/scale.py ratio"]),
    (
        "python",
        "UnicodeDecodeError",
        "'utf-8' codec can't decode byte 0x{hex} in position {n}: invalid start byte",
        &["media/meta.py read"],
    ),
    ("node", "TypeError", "Cannot read properties of undefined (reading {q})", &["orders/handler.js OrderHandler.run"]),
    ("node", "TypeError", "Cannot read properties of undefined (reading {q})", &["orders/invoice.js totals"]),
    ("node", "Error", "connect ECONNREFUSED {ip}:{port}", &["orders/client.js post"]),
    ("node", "Error", "getaddrinfo ENOTFOUND {host}", &["orders/client.js post"]),
    ("node", "AxiosError", "Request failed with status code 404", &["orders/customer.js load"]),
    ("node", "AxiosError", "Request failed with status code 503", &["orders/customer.js load"]),
    ("node", "SyntaxError", "Unexpected token {q} in JSON at position {n}", &["orders/body.js parse"]),
    ("node", "ValidationError", "order {id} at {time}: {n} items, customer {mail}", &["orders/rules.js check"]),
    ("node", "RangeError", "Invalid time value", &["orders/dates.js format"]),
    (
        "go",
        "panic",
        "runtime error: invalid memory address or nil pointer dereference",
        &["github.com/acme/ship/label.(*Printer).Print", "main.handle"],
    ),
    (
        "go",
        "panic",
        "runtime error: index out of range [{n}] with length {n}",
        &["github.com/acme/ship/route.Pick", "main.handle"],
    ),
    (
        "go",
        "",
        "charge {id}: dial tcp {ip}:{port}: connect: connection refused",
        &["github.com/acme/pay/gateway.Charge"],
    ),
    ("go", "", "charge {id}: context deadline exceeded", &["github.com/acme/pay/gateway.Charge"]),
    ("go", "", "lookup {host} on {ip}:53: no such host", &["github.com/acme/pay/gateway.Dial"]),
    ("go", "", "open {path}: permission denied", &["github.com/acme/pay/keys.Load"]),
    ("go", "", "rpc error: code = NotFound desc = customer {id}", &["github.com/acme/crm/client.Get"]),
    ("go", "", "rpc error: code = Unavailable desc = connection closed at {time}", &["github.com/acme/crm/client.Get"]),
    (
        "rust",
        "panic",
        "called `Option::unwrap()` on a `None` value",
        &["billing::invoice::total", "billing::worker::run"],
    ),
    ("rust", "panic", "called `Option::unwrap()` on a `None` value", &["billing::tax::rate", "billing::worker::run"]),
    ("rust", "panic", "index out of bounds: the len is {n} but the index is {n}", &["billing::lines::nth"]),
    ("rust", "panic", "order {id} is paid twice: {money} and {money}", &["billing::ledger::post"]),
    ("rust", "panic", "failed to read {path}: broken pipe", &["billing::export::write"]),
    ("ruby", "NoMethodError", "undefined method {q} for nil", &["billing/charge.rb call", "billing/job.rb perform"]),
    ("ruby", "NoMethodError", "undefined method {q} for nil", &["billing/refund.rb call", "billing/job.rb perform"]),
    ("ruby", "ActiveRecord::RecordNotFound", "Couldn't find Order with 'id'={id}", &["billing/load.rb order"]),
    ("ruby", "Net::ReadTimeout", "Net::ReadTimeout with #<TCPSocket:(closed)>", &["billing/http.rb post"]),
    ("ruby", "ArgumentError", "wrong number of arguments (given {n}, expected {n})", &["billing/build.rb call"]),
    ("ruby", "JSON::ParserError", "unexpected character: {q} at line {n} column {n}", &["billing/body.rb parse"]),
];

/// A small generator: the corpus is the same in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(super) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from_digit(u32::try_from(self.below(16)).unwrap(), 16).unwrap()).collect()
    }

    fn fill(&mut self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, slot)) = rest.split_once('{') {
            let (name, after) = slot.split_once('}').unwrap();
            out.push_str(before);
            out.push_str(&self.slot(name));
            rest = after;
        }
        out + rest
    }

    fn slot(&mut self, name: &str) -> String {
        let n = self.below(100_000);
        match name {
            "n" => [n.to_string(), format!("{}", n % 10), format!("{}", n * 997)][(n % 3) as usize].clone(),
            "id" => match self.below(9) {
                0 => format!("{}-{}-4{}-a{}-{}", self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12)),
                1 => n.to_string(),
                2 => format!("ORD-2026-{n:06}"),
                3 => self.hex(24),
                4 => format!("01J{}", self.hex(22).to_uppercase()),
                5 => format!("cus_{}7", self.hex(14)),
                6 => format!("#{n}"),
                7 => format!("urn:order:eu-west:{n}"),
                _ => format!("'{}'", self.pick(&["north", "acme ltd", "7b"])),
            },
            "host" => match self.below(5) {
                0 => format!("db-{}.internal", n % 40),
                1 => format!("payments-{}", self.pick(&["primary", "replica", "eu-west"])),
                2 => format!("{}.svc.cluster.local", self.pick(&["payments", "tax", "crm"])),
                3 => format!("ip-10-0-{}-{}.eu-west-1.compute.internal", n % 200, n % 99),
                _ => format!("{}.acme.com", self.pick(&["pay", "tax", "api-eu"])),
            },
            "ip" => match self.below(3) {
                0 => format!("[fe80::{}:{}]", self.hex(4), self.hex(3)),
                _ => format!("10.{}.{}.{}", n % 250, n % 97, n % 200),
            },
            "port" => (1_024 + n % 60_000).to_string(),
            "hex" => format!("{}9", self.hex(1)),
            "money" => match self.below(3) {
                0 => format!("-{}.{:02}", n % 900, n % 100),
                1 => format!("{},{:03}.50", 1 + n % 9, n % 1_000),
                _ => format!("€{n}"),
            },
            "mail" => {
                format!("{}.{}@{}", self.pick(&["jo", "x.y", "kim+test"]), n, self.pick(&["acme.com", "mail.example"]))
            }
            "path" => match self.below(4) {
                0 => format!("/var/data/{}/in-{n}.csv", self.pick(&["a", "inbox", "eu"])),
                1 => format!("C:\\data\\{}\\{n}.xml", self.pick(&["a", "inbox"])),
                2 => format!("/tmp/{}/label", self.hex(10)),
                _ => "/srv/shop/current/labels/a4.pdf".to_owned(),
            },
            "time" => match self.below(7) {
                0 => format!("2026-03-{:02}T10:{:02}:12.{:03}Z", 1 + n % 28, n % 60, n % 1_000),
                1 => format!("2026-03-{:02} 10:{:02}:12,{:03}", 1 + n % 28, n % 60, n % 1_000),
                2 => format!("Mon Mar {:02} 10:{:02}:12 CET 2026", 1 + n % 28, n % 60),
                3 => format!("{:02}/Mar/2026:10:{:02}:12 +0100", 1 + n % 28, n % 60),
                4 => format!("00:00:{:02}.{:07}", n % 60, n),
                5 => format!("{n}ms"),
                _ => format!("Tue, {:02} Jun 2026 10:{:02}:12 GMT", 1 + n % 28, n % 60),
            },
            "q" => {
                let value = match self.below(6) {
                    0 => format!("field_{n}"),
                    1 => "Order.getCustomer()".to_owned(),
                    2 => String::new(),
                    3 => format!("{n} EUR, or more"),
                    4 => "größe = ß/é".to_owned(),
                    _ => self.pick(&["name", "post code", "/a/b:c", "it is \\\\ here"]).to_owned(),
                };
                let (open, close) = [("'", "'"), ("\"", "\""), ("`", "`"), ("“", "”")][self.below(4) as usize];
                format!("{open}{value}{close}")
            }
            other => panic!("no slot {other}"),
        }
    }
}

/// The stack trace of a cause as its language prints it, with the noise that differs from one death to the next.
fn stack(random: &mut Random, (language, class, _, frames): Cause, message: &str) -> String {
    let line = 1 + random.below(900);
    let n = random.below(1_000);
    let root = random.pick(&["/app", "/srv/shop/releases/20260302101112", "/home/deploy/shop-7", "C:\\agent\\work"]);
    let mut out = String::new();
    match language {
        "java" => {
            if random.below(2) == 0 {
                out += "org.springframework.kafka.listener.ListenerExecutionFailedException: Listener failed\n\tat org.springframework.kafka.listener.KafkaMessageListenerContainer.decorate(KafkaMessageListenerContainer.java:2977)\nCaused by: ";
            }
            out += &format!("{class}: {message}\n\tat java.base/sun.nio.ch.Net.pollConnect(Net.java:{line})\n");
            for (i, frame) in frames.iter().enumerate() {
                let (owner, method) = frame.rsplit_once('.').unwrap();
                if random.below(2) == 0 {
                    out += &format!("\tat {owner}$$SpringCGLIB$${n}.{method}(<generated>)\n");
                }
                if random.below(3) == 0 {
                    out += &format!("\tat {owner}$$Lambda${n}/0x{}.run(Unknown Source)\n", random.hex(16));
                    out += &format!("\tat {owner}.lambda${method}${}(X.java:{line})\n", n % 7);
                } else {
                    out += &format!("\tat {frame}(X.java:{}) ~[app-{n}.jar:1.{n}]\n", line + i as u64);
                }
            }
            out += &format!("\tat java.base/java.lang.Thread.run(Thread.java:1583)\n\t... {} more", n % 40);
        }
        "dotnet" => {
            let wrapped = random.below(2) == 0;
            if wrapped {
                out += &format!("System.AggregateException: One or more errors occurred. ({message})\n ---> ");
            }
            out += &format!("{class}: {message}\n   at System.Linq.ThrowHelper.Throw(Int32 n)\n");
            for frame in frames {
                let (owner, method) = frame.rsplit_once('.').unwrap();
                out += &match random.below(3) {
                    0 => format!("   at {owner}.<{method}>d__{}.MoveNext() in {root}/X.cs:line {line}\n", n % 20),
                    1 => format!(
                        "   at {owner}.<>c__DisplayClass{}_0.<{method}>b__{}(Order o) in {root}/X.cs:line {line}\n",
                        n % 9,
                        n % 3
                    ),
                    _ => format!("   at {frame}(Order order, CancellationToken token)\n"),
                };
                out += "--- End of stack trace from previous location ---\n";
            }
            if wrapped {
                out += "   --- End of inner exception stack trace ---\n   at MassTransit.Pipe.Send()";
            }
        }
        "python" => {
            let chained = random.below(2) == 0;
            out += "Traceback (most recent call last):\n";
            for frame in frames.iter().rev() {
                let (file, function) = frame.split_once(' ').unwrap();
                out += &format!("  File \"{root}/{file}\", line {line}, in {function}\n    x = go({n})\n");
            }
            out += &format!(
                "  File \"/usr/lib/python3.{}/socket.py\", line {line}, in read\n{class}: {message}",
                9 + n % 4
            );
            if chained {
                out += "\n\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File \"/venv/lib/python3.11/site-packages/tenacity/__init__.py\", line 9, in call\n    raise x\ntenacity.RetryError: RetryError[<Future at 0x7f>]";
            }
        }
        "node" => {
            out += &format!("{class}: {message}\n    at Socket.emit (node:events:{line}:28)\n");
            for frame in frames {
                let (file, function) = frame.split_once(' ').unwrap();
                let asynchronous = random.pick(&["", "async "]);
                out += &format!(
                    "    at {asynchronous}{function} ({}{root}/dist/{file}:{line}:{n})\n",
                    random.pick(&["", "file://"])
                );
            }
            out += "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)";
        }
        "go" => {
            out += &if class.is_empty() {
                format!("{message}\n")
            } else {
                format!("panic: {message}\n\ngoroutine {n} [running]:\n")
            };
            for frame in frames {
                let arguments =
                    if class.is_empty() { String::new() } else { format!("(0xc000{}, {{0x1, 0x{n}}})", random.hex(6)) };
                out += &format!("{frame}{arguments}\n\t{root}/x.go:{line} +0x{}\n", random.hex(2));
            }
            out += "runtime.goexit\n\t/usr/local/go/src/runtime/asm_amd64.s:1650";
        }
        "rust" => {
            out += &format!(
                "thread 'worker-{n}' ({line}) panicked at src/x.rs:{line}:9:\n{message}\nstack backtrace:\n   0: rust_begin_unwind\n   1: core::panicking::panic_fmt\n"
            );
            for (i, frame) in frames.iter().enumerate() {
                out += &match random.below(3) {
                    0 => format!(
                        "   {}: {frame}::{{{{closure}}}}::h{}\n             at .{root}/src/x.rs:{line}:5\n",
                        i + 2,
                        random.hex(16)
                    ),
                    _ => format!("   {}: {frame}\n             at ./src/x.rs:{line}:5\n", i + 2),
                };
            }
            out += "   9: tokio::runtime::task::raw::poll\nnote: Some details are omitted";
        }
        _ => {
            let (quote, owner) = if random.below(2) == 0 { ("`", "") } else { ("'", "Acme::Thing#") };
            let lines: Vec<String> = frames
                .iter()
                .map(|frame| {
                    let (file, method) = frame.split_once(' ').unwrap();
                    let block = random.pick(&["", "block in ", "rescue in "]);
                    format!("{root}/app/{file}:{line}:in {quote}{block}{owner}{method}'")
                })
                .collect();
            out += &lines.join("\n");
            out += "\n/usr/local/bundle/gems/sidekiq-7.2.0/lib/sidekiq/processor.rb:202:in `execute_job'";
        }
    }
    out
}

/// A dead letter of that cause, as the framework of its language writes it.
fn dead(random: &mut Random, cause: Cause) -> Message {
    let (language, class, template, _) = cause;
    let text = random.fill(template);
    let trace = stack(random, cause, &text);
    let mut headers = Fields::new();
    let mut payload = format!(r#"{{"order":{}}}"#, random.below(1_000_000));
    match language {
        "java" if random.below(2) == 0 => {
            headers.push("kafka_dlt-original-topic", "orders");
            headers
                .push("kafka_dlt-original-offset", Value::Bytes(random.below(1 << 40).to_be_bytes().to_vec().into()));
            headers.push(
                "kafka_dlt-exception-fqcn",
                "org.springframework.kafka.listener.ListenerExecutionFailedException",
            );
            headers.push("kafka_dlt-exception-message", "Listener failed");
            headers.push("kafka_dlt-exception-stacktrace", Value::text(trace));
        }
        "java" => {
            headers.push("x-exception-message", Value::text(text));
            headers.push("x-exception-stacktrace", Value::text(trace));
            headers.push("x-original-exchange", "");
            headers.push("x-original-routingKey", "orders");
        }
        "dotnet" => {
            headers.push("MT-Fault-ExceptionType", class);
            headers.push("MT-Fault-Message", Value::text(text));
            headers.push("MT-Fault-StackTrace", Value::text(trace));
            headers
                .push("MT-Fault-InputAddress", Value::text(format!("rabbitmq://{}/shop/orders", random.slot("host"))));
        }
        "python" => {
            payload = serde_json::json!({
                "queue_name": "default", "actor_name": "work", "args": [random.below(99)], "message_id": random.hex(8),
                "options": {"retries": random.below(20), "traceback": trace}
            })
            .to_string();
        }
        "node" => {
            payload = serde_json::json!({
                "name": "work", "data": {"order": random.below(99)}, "attemptsMade": 3, "failedReason": text,
                "stacktrace": [trace], "queueQualifiedName": "bull:orders"
            })
            .to_string();
        }
        "ruby" => {
            payload = serde_json::json!({
                "class": "Work", "queue": "default", "jid": random.hex(24), "error_class": class,
                "error_message": text, "error_backtrace": trace.lines().collect::<Vec<_>>(), "retry_count": random.below(25)
            })
            .to_string();
        }
        _ => {
            headers.push("x-error-message", Value::text(text));
            headers.push("x-error-stack", Value::text(trace));
        }
    }
    Message { headers, payload: Some(payload.into()), ..Message::default() }
}

/// The harmonic mean of homogeneity and completeness (Rosenberg and Hirschberg), from pairs of cause and group.
pub(super) fn v_measure(pairs: &[(usize, GroupId)]) -> f64 {
    let count = |key: &dyn Fn(&(usize, GroupId)) -> (usize, Option<GroupId>)| {
        let mut counts: BTreeMap<(usize, Option<GroupId>), f64> = BTreeMap::new();
        for pair in pairs {
            *counts.entry(key(pair)).or_default() += 1.0;
        }
        counts
    };
    let total = pairs.len() as f64;
    let causes = count(&|(cause, _)| (*cause, None));
    let groups = count(&|(_, group)| (0, Some(*group)));
    let both = count(&|(cause, group)| (*cause, Some(*group)));
    let entropy = |counts: &BTreeMap<_, f64>| -> f64 { counts.values().map(|n| -n / total * (n / total).ln()).sum() };
    let of_cause: f64 = both.iter().map(|((_, g), n)| -n / total * (n / groups[&(0, *g)]).ln()).sum();
    let of_group: f64 = both.iter().map(|((c, _), n)| -n / total * (n / causes[&(*c, None)]).ln()).sum();
    let homogeneity = 1.0 - of_cause / entropy(&causes);
    let completeness = 1.0 - of_group / entropy(&groups);
    2.0 * homogeneity * completeness / (homogeneity + completeness)
}

#[test]
fn sixty_causes_come_out_as_sixty_groups() {
    let mut random = Random(0x5eed_1402);
    let mut pairs = Vec::new();
    let mut by_group: BTreeMap<GroupId, BTreeSet<usize>> = BTreeMap::new();
    let mut titles: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for _ in 0..VARIANTS {
        for (number, cause) in CAUSES.into_iter().enumerate() {
            let message = dead(&mut random, cause);
            let group = fingerprint(&message, detect(&message).as_ref(), &Rules::default());
            pairs.push((number, group.id));
            by_group.entry(group.id).or_default().insert(number);
            titles.entry(number).or_default().insert(format!(
                "{} {}",
                group.id,
                group.key.iter().map(|p| p.value.as_str()).collect::<Vec<_>>().join(" | ")
            ));
        }
    }
    let merged: Vec<_> = by_group.values().filter(|causes| causes.len() > 1).collect();
    let split: Vec<_> = titles.iter().filter(|(_, groups)| groups.len() > 1).collect();
    let score = v_measure(&pairs);
    println!("V-measure {score:.4}, {} groups, {} causes split", by_group.len(), split.len());
    assert!(merged.is_empty(), "merged: {merged:?}");
    assert!(score >= 0.98, "V-measure {score:.4}; split: {split:#?}");
}
