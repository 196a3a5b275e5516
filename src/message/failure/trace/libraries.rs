//! Which names are libraries and which classes only wrap another failure.
//!
//! Limits: lists of what is common in message consumers. A library that is not listed counts as the application,
//! which keeps groups apart and never merges them.

use crate::text::find::starts;

/// A class without its package.
pub(super) fn short(class: &str) -> &str {
    let at = class.bytes().rposition(|byte| matches!(byte, b'.' | b':' | b'\\' | b'$' | b'+'));
    at.and_then(|at| class.get(at + 1..)).unwrap_or(class)
}

/// Exceptions that only carry another one.
pub(super) fn is_wrapper(class: &str) -> bool {
    const WRAPPERS: [&str; 29] = [
        "HandlerFailedException",
        "EJBTransactionRolledbackException",
        "PersistenceException",
        "UnmarshalException",
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
        // The code of the operating system, whose text depends on it; what it means stands around it.
        "Win32Exception",
    ];
    let name = short(class);
    let name = name.split(['`', ' ']).next().unwrap_or(name);
    WRAPPERS.contains(&name)
}

/// The first words of packages and namespaces of libraries, sorted; none begins with another.
const DOTTED: [&str; 125] = [
    "Amazon.",
    "AutoMapper.",
    "Autofac.",
    "Azure.",
    "Castle.",
    "Confluent.",
    "Dapper.",
    "EasyNetQ.",
    "Elasticsearch.",
    "FSharp.",
    "FluentValidation.",
    "Google.",
    "GreenPipes.",
    "Grpc.",
    "Hangfire.",
    "MassTransit.",
    "MediatR.",
    "Microsoft.",
    "MongoDB.",
    "MySql.",
    "MySqlConnector.",
    "NServiceBus.",
    "Nest.",
    "Newtonsoft.",
    "Npgsql.",
    "Oracle.",
    "Polly.",
    "Quartz.",
    "RabbitMQ.",
    "Rebus.",
    "Refit.",
    "Serilog.",
    "ServiceStack.",
    "StackExchange.",
    "System.",
    "Wolverine.",
    "akka.",
    "cats.",
    "ch.qos.",
    "clojure.",
    "co.elastic.",
    "com.amazonaws.",
    "com.datastax.",
    "com.fasterxml.",
    "com.google.",
    "com.ibm.",
    "com.jayway.",
    "com.microsoft.",
    "com.mongodb.",
    "com.mysql.",
    "com.netflix.",
    "com.querydsl.",
    "com.rabbitmq.",
    "com.solacesystems.",
    "com.sun.",
    "com.zaxxer.",
    "dev.failsafe.",
    "feign.",
    "fs2.",
    "groovy.",
    "io.awspring.",
    "io.circe.",
    "io.confluent.",
    "io.github.resilience4j.",
    "io.grpc.",
    "io.helidon.",
    "io.lettuce.",
    "io.micrometer.",
    "io.micronaut.",
    "io.netty.",
    "io.opentelemetry.",
    "io.opentracing.",
    "io.quarkus.",
    "io.reactivex.",
    "io.smallrye.",
    "io.undertow.",
    "io.vertx.",
    "jakarta.",
    "java.",
    "javax.",
    "jdk.",
    "kotlin.",
    "kotlinx.",
    "liquibase.",
    "net.bytebuddy.",
    "net.jodah.",
    "net.sf.",
    "okhttp3.",
    "okio.",
    "oracle.",
    "org.apache.",
    "org.aspectj.",
    "org.bson.",
    "org.codehaus.",
    "org.eclipse.",
    "org.elasticsearch.",
    "org.flywaydb.",
    "org.glassfish.",
    "org.h2.",
    "org.hibernate.",
    "org.http4s.",
    "org.jboss.",
    "org.jooq.",
    "org.json.",
    "org.junit.",
    "org.mariadb.",
    "org.mockito.",
    "org.mybatis.",
    "org.opensearch.",
    "org.pekko.",
    "org.postgresql.",
    "org.redisson.",
    "org.slf4j.",
    "org.springframework.",
    "org.xnio.",
    "org.yaml.",
    "play.",
    "reactor.",
    "redis.clients.",
    "retrofit2.",
    "rx.",
    "scala.",
    "software.amazon.",
    "sun.",
    "zio.",
];

/// The first words of the library that a dotted name (Java, Kotlin, Scala, .NET) belongs to.
pub(super) fn dotted_library(name: &str) -> Option<&'static str> {
    // In a sorted list where no name begins with another, only the last one that is not behind the name can begin it.
    let at = DOTTED.partition_point(|library| *library <= name);
    let library = DOTTED.get(at.checked_sub(1)?)?;
    starts(name, library).then_some(library)
}

/// PHP: functions of frameworks and clients by their namespace, and of the classes that come with the language.
pub(super) fn is_php_library(function: &str) -> bool {
    const NAMESPACES: [&str; 30] = [
        "Amp",
        "Aws",
        "Carbon",
        "Composer",
        "Doctrine",
        "Ecotone",
        "Elastic",
        "Enqueue",
        "Google",
        "GuzzleHttp",
        "Illuminate",
        "Interop",
        "Laminas",
        "Laravel",
        "League",
        "Livewire",
        "Monolog",
        "OpenTelemetry",
        "PhpAmqpLib",
        "Predis",
        "Psr",
        "Ramsey",
        "RdKafka",
        "React",
        "Sentry",
        "Spatie",
        "Stripe",
        "Swoole",
        "Symfony",
        "Twig",
    ];
    const CLASSES: [&str; 14] = [
        "PDO",
        "PDOStatement",
        "mysqli",
        "mysqli_stmt",
        "SoapClient",
        "Redis",
        "RedisCluster",
        "Memcached",
        "AMQPQueue",
        "AMQPExchange",
        "SplFileObject",
        "SimpleXMLElement",
        "ReflectionMethod",
        "ReflectionClass",
    ];
    if let Some((namespace, _)) = function.split_once('\\') {
        return NAMESPACES.contains(&namespace);
    }
    let class = function.split(['-', ':']).next().unwrap_or(function);
    class.len() < function.len() && (CLASSES.contains(&class) || class.starts_with("__TwigTemplate_"))
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
    const CLIENTS: [&str; 33] = [
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
        "github.com/lib/pq",
        "github.com/go-sql-driver/",
        "github.com/jmoiron/",
        "github.com/hashicorp/",
        "github.com/pkg/errors",
        "github.com/redis/",
        "github.com/go-redis/",
        "github.com/gin-gonic/",
        "github.com/labstack/",
        "github.com/go-resty/",
        "github.com/go-kit/",
        "github.com/nats-io/",
        "github.com/cenkalti/",
        "github.com/avast/",
        "github.com/getsentry/",
        "github.com/sony/",
        "go.mongodb.org/",
        "go.opentelemetry.io/",
        "gorm.io/",
    ];
    // `github.com/a/b.f` is `github.com`, `net/http.f` and `runtime.f` have no dot before the first slash.
    let first = function.split('/').next().unwrap_or(function);
    let package = first.split('.').next().unwrap_or(first);
    let host = function.contains('/') && first.contains('.');
    if host { CLIENTS.iter().any(|client| function.starts_with(client)) } else { STANDARD.contains(&package) }
}

/// Rust: a path whose first crate is not the standard library, the runtime or a common client.
pub(super) fn is_rust_application(name: &str) -> bool {
    const CRATES: [&str; 48] = [
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
        // And what C++ is mostly built of.
        "boost",
        "absl",
        "folly",
        "google",
        "grpc",
        "AmqpClient",
        "AMQP",
        "nlohmann",
        "rapidjson",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_libraries_are_sorted_and_none_begins_with_another() {
        for pair in DOTTED.windows(2) {
            assert!(pair[0] < pair[1] && !pair[1].starts_with(pair[0]), "{pair:?}");
        }
        for library in DOTTED {
            assert!(
                dotted_library(library).is_some() && dotted_library(&format!("{library}a.B.c")).is_some(),
                "{library}"
            );
            assert!(dotted_library(&library[..library.len() - 1]).is_none(), "{library}");
        }
        for own in ["", "com.acme.Shop.on", "a", "zz.B.c", "java", "javac.A.b", "~"] {
            assert!(dotted_library(own).is_none(), "{own}");
        }
    }
}
