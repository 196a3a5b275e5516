//! Which names are libraries and which classes only wrap another failure.
//!
//! Limits: lists of what is common in message consumers. A library that is not listed counts as the application,
//! which keeps groups apart and never merges them.

/// A class without its package.
pub(super) fn short(class: &str) -> &str {
    class.rsplit(['.', ':', '\\', '$', '+']).next().unwrap_or(class)
}

/// Exceptions that only carry another one.
pub(super) fn is_wrapper(class: &str) -> bool {
    const WRAPPERS: [&str; 24] = [
        "ListenerExecutionFailedException",
        "MessageHandlingException",
        "MessageDeliveryException",
        "MessagingException",
        "AmqpRejectAndDontRequeueException",
        "AggregateException",
        "AggregateError",
        "TargetInvocationException",
        "InvocationTargetException",
        "CompletionException",
        "ExecutionException",
        "UncheckedExecutionException",
        "UndeclaredThrowableException",
        "PrivilegedActionException",
        "RetryExhaustedException",
        "ExhaustedRetryException",
        "TypeInitializationException",
        "NestedServletException",
        "EJBException",
        "RuntimeCamelException",
        "ConsumerException",
        "ExceptionGroup",
        "BaseExceptionGroup",
        "RetryError",
    ];
    let name = short(class);
    let name = name.split(['`', ' ']).next().unwrap_or(name);
    WRAPPERS.contains(&name)
}

/// The first words of packages and namespaces of libraries, in the order of how often they are met.
const DOTTED: [&str; 125] = [
    "java.",
    "javax.",
    "jakarta.",
    "jdk.",
    "sun.",
    "com.sun.",
    "org.springframework.",
    "org.apache.",
    "System.",
    "Microsoft.",
    "MassTransit.",
    "GreenPipes.",
    "NServiceBus.",
    "Rebus.",
    "Wolverine.",
    "EasyNetQ.",
    "RabbitMQ.",
    "Confluent.",
    "Newtonsoft.",
    "Npgsql.",
    "MySql.",
    "MySqlConnector.",
    "Dapper.",
    "Polly.",
    "Azure.",
    "Amazon.",
    "Grpc.",
    "Google.",
    "StackExchange.",
    "MongoDB.",
    "MediatR.",
    "Autofac.",
    "Castle.",
    "Serilog.",
    "AutoMapper.",
    "FluentValidation.",
    "Elasticsearch.",
    "Nest.",
    "Quartz.",
    "Hangfire.",
    "ServiceStack.",
    "Oracle.",
    "Refit.",
    "org.hibernate.",
    "com.fasterxml.",
    "io.netty.",
    "reactor.",
    "kotlin.",
    "kotlinx.",
    "scala.",
    "akka.",
    "org.pekko.",
    "groovy.",
    "clojure.",
    "org.postgresql.",
    "com.mysql.",
    "org.mariadb.",
    "oracle.",
    "com.microsoft.",
    "com.zaxxer.",
    "org.h2.",
    "feign.",
    "okhttp3.",
    "okio.",
    "retrofit2.",
    "com.rabbitmq.",
    "com.amazonaws.",
    "software.amazon.",
    "com.google.",
    "io.grpc.",
    "io.lettuce.",
    "redis.clients.",
    "org.redisson.",
    "com.mongodb.",
    "org.bson.",
    "com.datastax.",
    "org.elasticsearch.",
    "co.elastic.",
    "org.opensearch.",
    "io.confluent.",
    "org.jboss.",
    "io.quarkus.",
    "io.smallrye.",
    "io.vertx.",
    "io.micronaut.",
    "io.helidon.",
    "io.micrometer.",
    "io.opentelemetry.",
    "io.opentracing.",
    "io.github.resilience4j.",
    "dev.failsafe.",
    "net.jodah.",
    "com.netflix.",
    "org.eclipse.",
    "org.glassfish.",
    "org.aspectj.",
    "net.sf.",
    "net.bytebuddy.",
    "org.codehaus.",
    "org.slf4j.",
    "ch.qos.",
    "org.junit.",
    "org.mockito.",
    "org.mybatis.",
    "org.jooq.",
    "com.querydsl.",
    "liquibase.",
    "org.flywaydb.",
    "io.reactivex.",
    "rx.",
    "io.undertow.",
    "org.xnio.",
    "com.ibm.",
    "org.yaml.",
    "org.json.",
    "com.jayway.",
    "io.awspring.",
    "com.solacesystems.",
    "io.circe.",
    "cats.",
    "fs2.",
    "zio.",
    "org.http4s.",
    "play.",
    "FSharp.",
];

/// Whether a dotted name (Java, Kotlin, Scala, .NET) is a library's.
pub(super) fn is_dotted_library(name: &str) -> bool {
    DOTTED.iter().any(|library| name.starts_with(library))
}

/// Elixir and Erlang: the languages' own applications, and clients and frameworks.
pub(super) fn is_elixir_library(application: &str, function: &str) -> bool {
    const APPLICATIONS: [&str; 34] = [
        "elixir",
        "stdlib",
        "kernel",
        "erts",
        "ssl",
        "crypto",
        "inets",
        "mnesia",
        "mix",
        "logger",
        "ecto",
        "ecto_sql",
        "db_connection",
        "postgrex",
        "myxql",
        "oban",
        "broadway",
        "broadway_rabbitmq",
        "broadway_kafka",
        "broadway_sqs",
        "gen_stage",
        "flow",
        "telemetry",
        "phoenix",
        "plug",
        "plug_cowboy",
        "amqp",
        "amqp_client",
        "brod",
        "ex_aws",
        "tesla",
        "finch",
        "mint",
        "jason",
    ];
    APPLICATIONS.contains(&application) || (application.is_empty() && function.starts_with([':', '-']))
}

/// Go: the standard library and clients of brokers and databases.
pub(super) fn is_go_library(function: &str) -> bool {
    const STANDARD: [&str; 32] = [
        "runtime", "testing", "reflect", "sync", "syscall", "internal", "net", "encoding", "database", "context", "io",
        "os", "fmt", "errors", "bufio", "bytes", "strings", "strconv", "time", "sort", "math", "crypto", "compress",
        "archive", "html", "text", "log", "path", "regexp", "unicode", "panic", "iter",
    ];
    const CLIENTS: [&str; 14] = [
        "google.golang.org/",
        "golang.org/",
        "go.uber.org/",
        "gopkg.in/",
        "github.com/segmentio/",
        "github.com/confluentinc/",
        "github.com/IBM/",
        "github.com/Shopify/",
        "github.com/rabbitmq/",
        "github.com/streadway/",
        "github.com/ThreeDotsLabs/",
        "github.com/aws/",
        "github.com/jackc/",
        "github.com/twmb/",
    ];
    // `github.com/a/b.f` is `github.com`, `net/http.f` and `runtime.f` have no dot before the first slash.
    let first = function.split('/').next().unwrap_or(function);
    let package = first.split('.').next().unwrap_or(first);
    let host = function.contains('/') && first.contains('.');
    if host { CLIENTS.iter().any(|client| function.starts_with(client)) } else { STANDARD.contains(&package) }
}

/// Rust: a path whose first crate is not the standard library, the runtime or a common client.
pub(super) fn is_rust_application(name: &str) -> bool {
    const CRATES: [&str; 39] = [
        "std",
        "core",
        "alloc",
        "test",
        "tokio",
        "tokio_util",
        "futures",
        "futures_util",
        "futures_core",
        "hyper",
        "hyper_util",
        "reqwest",
        "tower",
        "tower_http",
        "axum",
        "actix_web",
        "actix_rt",
        "tonic",
        "prost",
        "anyhow",
        "eyre",
        "color_eyre",
        "backtrace",
        "serde",
        "serde_json",
        "sqlx",
        "sqlx_core",
        "diesel",
        "lapin",
        "rdkafka",
        "aws_sdk_sqs",
        "redis",
        "async_nats",
        "tracing",
        "rayon",
        "once_cell",
        "crossbeam",
        "rustls",
        "async_trait",
    ];
    let path = name.trim_start_matches(['<', '&', '*', '(']);
    let path = path.strip_prefix("dyn ").unwrap_or(path);
    path.split_once("::").is_some_and(|(first, _)| {
        !first.is_empty()
            && first.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !first.starts_with("__")
            && !first.starts_with("rust_")
            && !CRATES.contains(&first)
    })
}
