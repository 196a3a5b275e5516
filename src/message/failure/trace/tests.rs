//! Traces of every language, as their runtimes print them.

use super::*;

fn check(stack: &str, class: &str, message: &str, frames: &[&str]) {
    let root = root(stack);
    assert_eq!(root.class.as_deref().unwrap_or_default(), class, "{stack}");
    assert_eq!(root.message.as_deref().unwrap_or_default(), message, "{stack}");
    assert_eq!(root.frames, frames, "{stack}");
}

#[test]
fn the_innermost_frame_is_the_place_and_its_caller_only_where_many_ask_for_it() {
    let at = |frames: &[&str]| {
        telling(&root(&format!("A: x\n\tat {}(A.java:1)\n", frames.join("(A.java:1)\n\tat "))).frames).to_vec()
    };
    assert_eq!(at(&["com.acme.Payments.charge", "com.acme.Orders.on"]), ["com.acme.Payments.charge"]);
    let helped = ["com.acme.Http.post", "com.acme.Payments.charge", "com.acme.Orders.on"];
    assert_eq!(at(&helped), ["com.acme.Http.post", "com.acme.Payments.charge"]);
    let retried = ["com.acme.Resilience.run", "com.acme.Payments.charge"];
    assert_eq!(at(&retried), retried, "what only carries others is no place of its own");
    let shell = "{{badmatch,{error,timeout}},[{acme_tax,rate,2,[{file,\"src/acme_tax.erl\"},{line,12}]},\
                 {acme_bill,add,1,[{file,\"src/acme_bill.erl\"},{line,3}]}]}";
    assert_eq!(telling(&root(shell).frames), ["acme_tax:rate"]);
    let files = ["lib/resilience:run".to_owned(), "orders/take:take".to_owned()];
    assert_eq!(telling(&files), files);
    assert!(telling(&[]).is_empty());
}

#[test]
fn what_was_cut_behind_a_function_of_go_has_its_name() {
    let whole = "goroutine 7 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:24 +0xe5\n\
                 panic({0xd06360?, 0xc92e63e6e2?})\n\t/usr/local/go/src/runtime/panic.go:787 +0xc62\n\
                 github.com/acme/trips/internal/plan.(*Planner).merge(0xc5a, 0xe)\n\t/src/internal/plan/plan.go:7 +0x1\n";
    let name = "github.com/acme/trips/internal/plan.(*Planner).merge";
    let end = whole.find(name).unwrap() + name.len();
    for cut in [whole.len(), whole.len() - 10, end + 9, end + 3, end + 1] {
        assert_eq!(root(&whole[..cut]).frames, [name], "{cut}");
    }
    for cut in [end, end - 2, end - 5, end - 9, end - 20] {
        assert!(root(&whole[..cut]).frames.is_empty(), "{cut}");
    }
}

#[test]
fn what_cython_compiled_and_what_lambda_has_beside_a_function_is_no_place() {
    let frame = |path: &str| format!("  File \"{path}\", line 3, in take\n    x()\n");
    let own = frame("/var/task/bookings/model.py");
    for library in ["asyncpg/protocol/protocol.pyx", "/var/task/pydantic/main.py"] {
        let trace = format!("Traceback (most recent call last):\n{own}{}KeyError: 'a'", frame(library));
        assert_eq!(root(&trace).frames, ["bookings/model:take"], "{library}");
    }
}

#[test]
fn an_application_that_is_installed_as_its_libraries_are_is_found_where_there_is_no_other() {
    let at = |path: &str, function: &str| format!("  File \"{path}\", line 3, in {function}\n    x()\n");
    let packages = "/opt/venv/lib/python3.12/site-packages";
    let trace = format!(
        "Traceback (most recent call last):\n{}{}{}{}KeyError: 'a'",
        at(&format!("{packages}/celery/app/trace.py"), "trace_task"),
        at(&format!("{packages}/docs/tasks.py"), "build"),
        at(&format!("{packages}/docs/pages/cover.py"), "sheet"),
        at(&format!("{packages}/obscure/maps.py"), "take"),
    );
    assert_eq!(root(&trace).frames, ["pages/cover:sheet"]);
    let own = trace.replace(&format!("{packages}/docs/tasks.py"), "/app/docs/tasks.py");
    assert_eq!(root(&own).frames, ["docs/tasks:build"]);
}

#[test]
fn java_goes_to_the_innermost_cause_and_passes_over_libraries_lambdas_and_proxies() {
    check(
        "org.springframework.kafka.listener.ListenerExecutionFailedException: Listener failed
\tat org.springframework.kafka.listener.KafkaMessageListenerContainer.decorate(KafkaMessageListenerContainer.java:2946)
\tat java.base/java.lang.Thread.run(Thread.java:1583)
\tSuppressed: com.acme.Unrelated: x
\t\tat com.acme.Closer.close(Closer.java:1)
\tCaused by: com.acme.AlsoUnrelated: y
\t\tat com.acme.Closer.deep(Closer.java:2)
Caused by: com.acme.orders.OrderException: can't charge order 17
\tat com.acme.orders.OrderService$$SpringCGLIB$$0.charge(<generated>)
\tat com.acme.orders.Order$HibernateProxy$HNRWW10Y.getTotal(Unknown Source)
\tat com.acme.orders.OrderService$$Lambda/0x000075.apply(Unknown Source)
\tat com.acme.orders.OrderService.lambda$charge$0(OrderService.java:42) ~[orders.jar:1.2.3]
\t... 12 more
Caused by: java.net.SocketTimeoutException: Read timed out
\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:288)
\tat app//com.acme.http.Client.post(Client.java:17)
\t... 14 common frames omitted",
        "java.net.SocketTimeoutException",
        "Read timed out",
        &["com.acme.http.Client.post", "com.acme.orders.OrderService.charge"],
    );
}

#[test]
fn python_is_known_by_its_frames_where_the_first_line_is_missing() {
    let frames = "  File \"/opt/python/powertools/logging.py\", line 456, in decorate\n    return handler(event)\n\n  \
                  File \"/var/task/handler.py\", line 31, in main\n    return report()\n\n  \
                  File \"/var/task/reports/totals.py\", line 33, in subtotal\n    return row['currency']\n";
    let want = ["reports/totals:subtotal", "handler:main"];
    check(frames, "", "", &want);
    check(&format!(")\n    ^^^^\n{frames}KeyError: 'currency'"), "KeyError", "'currency'", &want);
}

#[test]
fn python_messages_that_count_or_wrap_tell_what_is_behind() {
    let head = "Traceback (most recent call last):\n  File \"/app/shop/tasks.py\", line 3, in take\n    check(x)\n";
    check(
        &format!(
            "{head}pydantic_core._pydantic_core.ValidationError: 1 validation error for Order\ntotal\n  Field required [type=missing]\n    For further information visit https://errors.pydantic.dev/2.7/v/missing"
        ),
        "pydantic_core._pydantic_core.ValidationError",
        "1 validation error for Order\ntotal\n  Field required [type=missing]\n    For further information visit https://errors.pydantic.dev/2.7/v/missing",
        &["shop/tasks:take"],
    );
    check(
        &format!(
            "{head}sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection refused\n\n(Background on this error)"
        ),
        "psycopg2.OperationalError",
        "connection refused",
        &["shop/tasks:take"],
    );
}

#[test]
fn a_code_of_the_operating_system_is_no_cause() {
    check(
        "Microsoft.Data.SqlClient.SqlException (0x80131904): Execution Timeout Expired.
 ---> System.ComponentModel.Win32Exception (258): Unknown error 258
   at Acme.Renewals.Handler.Handle(Renew message) in /src/Handler.cs:line 17",
        "Microsoft.Data.SqlClient.SqlException",
        "Execution Timeout Expired.",
        &["Acme.Renewals.Handler.Handle"],
    );
    check(
        "System.ComponentModel.Win32Exception (5): Access is denied.",
        "System.ComponentModel.Win32Exception",
        "Access is denied.",
        &[],
    );
}

#[test]
fn kotlins_suspended_bodies_are_their_functions() {
    let trace = |body: &str| {
        format!(
            "java.util.NoSuchElementException: none
\tat com.acme.Selector.select(Selector.kt:52)
{body}\tat com.acme.Planner.plan(Planner.kt:61)
\tat com.acme.Consumer$start$1$1.invokeSuspend(Consumer.kt:48)
\tat kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith(ContinuationImpl.kt:33)"
        )
    };
    for body in ["", "\tat com.acme.Selector$select$1.invokeSuspend(Selector.kt)\n"] {
        let want = ["com.acme.Selector.select", "com.acme.Planner.plan"];
        check(&trace(body), "java.util.NoSuchElementException", "none", &want);
    }
}

#[test]
fn a_wrapper_at_the_bottom_is_passed_over() {
    check(
        "Exception in thread \"main\" java.lang.IllegalStateException: no stock
\tat com.acme.Stock$1.run(Stock.java:1)
Caused by: java.util.concurrent.ExecutionException: wrapped
\tat java.util.concurrent.FutureTask.report(FutureTask.java:122)",
        "java.lang.IllegalStateException",
        "no stock",
        &["com.acme.Stock.run"],
    );
}

#[test]
fn dotnet_unwinds_inner_exceptions_and_compiled_names() {
    check(
        "System.AggregateException: One or more errors occurred. (boom) ---> System.InvalidOperationException: outer
 ---> Acme.Payments.Declined: card declined
   at Acme.Payments.Gateway.<ChargeAsync>d__5.MoveNext() in /src/Gateway.cs:line 42
--- End of stack trace from previous location ---
   at System.Runtime.CompilerServices.TaskAwaiter.ThrowForNonSuccess(Task task)
   at Acme.Payments.Handler.<>c__DisplayClass5_0.<Handle>b__0(Order o) in C:\\src\\Handler.cs:line 17
   --- End of inner exception stack trace ---
   at Acme.Payments.Repo`1.Get[T](Int32 id)
   at MassTransit.Middleware.X.Send()
   --- End of inner exception stack trace ---
---> (Inner Exception #1) System.Exception: other
   at Acme.Other.Thing()<---",
        "Acme.Payments.Declined",
        "card declined",
        &["Acme.Payments.Gateway.ChargeAsync", "Acme.Payments.Handler.Handle"],
    );
    check("   at Acme.A.<>c.<Run>g__Local|5_0(String s)\n   at lambda_method17(Closure)", "", "", &["Acme.A.Run"]);
}

#[test]
fn python_reads_frames_backwards_and_the_first_of_a_chain_is_the_root() {
    check(
        "Task failed
Traceback (most recent call last):
  File \"/usr/lib/python3.11/asyncio/tasks.py\", line 1, in run
    self()
  File \"/app/orders/gateway.py\", line 42, in charge
    raise TimeoutError(\"order 17\")
TimeoutError: order 17

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File \"/app/orders/tasks.py\", line 7, in handle
    at(charge(order))
    ^^^^^^^^^^^^^^^^^
  File \"/venv/lib/python3.11/site-packages/celery/app/trace.py\", line 451, in trace_task
    R = fun()
orders.errors.ChargeFailed: can't charge
because of the gateway",
        "TimeoutError",
        "order 17",
        &["orders/gateway:charge", "orders/tasks:handle"],
    );
}

#[test]
fn node_drops_its_own_frames_and_follows_causes() {
    check(
        "Error: charge failed
    at Object.handle (/app/dist/orders/handler.js:10:11)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {
  [cause]: TypeError [ERR_INVALID_URL]: Invalid URL
      at new Gateway (file:///app/dist/orders/gateway.mjs:3:7)
      at async Promise.all (index 0)
      at async OrderHandler.run [as go] (/app/dist/orders/run.js:1:1)
      at /app/node_modules/amqplib/lib/channel.js:1:2
}",
        "TypeError [ERR_INVALID_URL]",
        "Invalid URL",
        &["orders/gateway:Gateway", "orders/run:OrderHandler.run"],
    );
}

#[test]
fn go_reads_panics_and_errors_with_stacks() {
    check(
        "panic: runtime error: index out of range [5] with length 3 [recovered]
goroutine 17 [running]:
runtime/debug.Stack()
\t/usr/local/go/src/runtime/debug/stack.go:24 +0x65
panic({0x8a2b60?, 0xc0000b4018?})
\t/usr/local/go/src/runtime/panic.go:884 +0x213
github.com/acme/orders/handler.(*Handler).Charge(0xc000010250, {0x1, 0x2}, ...)
\t/app/handler/handler.go:42 +0x1d
main.main.func1.2()
\t/app/main.go:7 +0x3a
created by main.main in goroutine 1
\t/app/main.go:5 +0x25",
        "panic",
        "runtime error: index out of range [5] with length 3 [recovered]",
        &["github.com/acme/orders/handler.(*Handler).Charge", "main.main"],
    );
    check(
        "charge order: connection refused\nmain.charge\n\t/app/charge.go:12\nnet/http.HandlerFunc.ServeHTTP\n\t/usr/local/go/src/net/http/server.go:2136",
        "",
        "charge order: connection refused",
        &["main.charge"],
    );
}

#[test]
fn rust_reads_panics_and_reports() {
    check(
        "thread 'tokio-runtime-worker' (41) panicked at src/handler.rs:42:9:
called `Option::unwrap()` on a `None` value
stack backtrace:
   0: rust_begin_unwind
             at /rustc/5980761/library/std/src/panicking.rs:697:5
   1: core::panicking::panic_fmt
   2: orders::handler::charge::{{closure}}::h0123456789abcdef
             at ./src/handler.rs:42:9
   3: <orders::Worker as orders::Run>::run
   4: <alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once
note: Some details are omitted",
        "panic",
        "called `Option::unwrap()` on a `None` value",
        &["orders::handler::charge", "<orders::Worker as orders::Run>::run"],
    );
    check(
        "Error: charge failed\n\nCaused by:\n    0: gateway\n    1: connection refused\n\nStack backtrace:\n   0: anyhow::error::new\n   1: orders::charge",
        "Error",
        "connection refused",
        &["orders::charge"],
    );
}

#[test]
fn ruby_versions_agree() {
    let frames = ["orders/charge:call", "orders/job:perform"];
    check(
        "/srv/shop/releases/17/app/orders/charge.rb:12:in `block in call': no stock (Acme::OutOfStock)
\tfrom /srv/shop/releases/17/app/orders/job.rb:3:in `perform'
\tfrom /usr/local/bundle/gems/sidekiq-7.2.0/lib/sidekiq/processor.rb:202:in `execute_job'",
        "Acme::OutOfStock",
        "no stock",
        &frames,
    );
    check("app/orders/charge.rb:19:in 'Acme::Charge#call'\napp/orders/job.rb:4:in 'OrderJob#perform'", "", "", &frames);
}

#[test]
fn php_names_methods() {
    check(
        "App\\Errors\\Declined: declined in /app/src/Gateway.php:42\nStack trace:\n#0 /app/vendor/x/Bus.php(1): X\\Bus->send()\n#1 /app/src/Handler.php(17): App\\Handler->charge(Object(App\\Order))\n#2 {main}",
        "App\\Errors\\Declined",
        "declined",
        &["App\\Handler->charge"],
    );
}

#[test]
fn elixir_names_functions_of_the_application() {
    let frames = "    (ecto_sql 3.11.1) lib/ecto/adapters/sql.ex:1054: Ecto.Adapters.SQL.raise_sql_call_error/1\n    \
                  (shop 0.1.0) lib/shop/tax.ex:7: Shop.Tax.rate(\"SKU-7\", 17)\n    \
                  (elixir 1.16.1) lib/enum.ex:1693: Enum.\"-map/2-lists^map/1-0-\"/2\n    \
                  lib/shop/invoices.ex:40: anonymous fn/2 in Shop.Invoices.build/1\n    \
                  (stdlib 5.2) proc_lib.erl:241: :proc_lib.init_p_do_apply/3";
    let trace = format!("** (FunctionClauseError) no function clause matching in Shop.Tax.rate/2\n{frames}");
    let message = "no function clause matching in Shop.Tax.rate/2";
    check(&trace, "FunctionClauseError", message, &["Shop.Tax.rate", "Shop.Invoices.build"]);
    let exit =
        format!("** (exit) exited in: GenServer.call(#PID<0.1.0>, :take, 5000)\n    ** (EXIT) time out\n{frames}");
    check(&exit, "EXIT", "time out", &["Shop.Tax.rate", "Shop.Invoices.build"]);
}

#[test]
fn a_python_group_is_passed_over_for_its_first_member() {
    let trace = "  + Exception Group Traceback (most recent call last):\n  |   File \"/app/main.py\", line 3, in run\n  \
                 | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n  \
                 +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    \
                 |   File \"/app/worker/geo.py\", line 9, in locate\n    |     return self.index[zip]\n    \
                 |            ~~~~~~~~~~^^^^^\n    | KeyError: '10115'\n    +------------------------------------";
    check(trace, "KeyError", "'10115'", &["worker/geo:locate", "main:run"]);
}

#[test]
fn clojure_fsharp_and_perl_lose_their_numbers() {
    let clojure = "clojure.lang.ExceptionInfo: Stock conflict\n\tat acme.stock$take_BANG_.invokeStatic(stock.clj:3)\n\t\
                   at acme.consumer$handle$fn__4377.invoke(consumer.clj:9)";
    let frames = ["acme.stock$take_BANG_.invokeStatic", "acme.consumer$handle$fn.invoke"];
    check(clojure, "clojure.lang.ExceptionInfo", "Stock conflict", &frames);
    let fsharp = "System.Exception: x\n   at Acme.Handlers.onQuote@31-2.Invoke(Unit u) in /src/H.fs:line 31";
    check(fsharp, "System.Exception", "x", &["Acme.Handlers.onQuote.Invoke"]);
    let perl =
        "no such method at /opt/Book.pm line 3.\n\tAcme::Book::entry(Acme::Book=HASH(0x1)) called at /opt/b.pl line 4";
    assert_eq!(root(perl).frames, ["Acme::Book::entry"]);
}

#[test]
fn texts_that_are_no_traces_are_no_trouble() {
    check("", "", "", &[]);
    check("order 17 failed", "", "order 17 failed", &[]);
    check("#17 is bad", "", "#17 is bad", &[]);
    check("at least one item is needed", "", "at least one item is needed", &[]);
    for text in [
        "at ",
        "at (",
        "File \"",
        "\t.go:",
        ":in `'",
        "#1 ",
        "Caused by:",
        "Caused by: ",
        "---> ",
        "thread '",
        "1: ",
        "at :1:1",
        "é:in `é'",
        "** (",
        "** (x) ",
        "(é) .ex:1: é",
        "x.ex:1: ",
        "é) called at  line ",
        "at a@1__1$__2-.b(",
        &"| ".repeat(100_000),
        &format!("at a{}(", "__1.".repeat(20_000)),
    ] {
        _ = root(text);
    }
    assert_eq!(
        nested("x; nested exception is java.net.ConnectException: refused"),
        Some(("java.net.ConnectException", "refused"))
    );
    assert_eq!(nested("plain"), None);
}

#[test]
fn recursion_of_any_depth_is_one_frame() {
    let deep = |n: usize| {
        format!("A: x\n{}\tat com.acme.Main.start(M.java:1)", "\tat com.acme.Tree.walk(T.java:9)\n".repeat(n))
    };
    assert_eq!(root(&deep(1)), root(&deep(500)));
}

#[test]
fn the_code_behind_a_dotnet_class_is_no_part_of_it() {
    for (first, class) in [
        ("Microsoft.Data.SqlClient.SqlException (0x80131904): deadlocked", "Microsoft.Data.SqlClient.SqlException"),
        ("System.Net.Sockets.SocketException (111): Connection refused", "System.Net.Sockets.SocketException"),
    ] {
        let trace = format!("{first}\r\n   at Acme.Shop.Pay(Order o) in /src/Shop.cs:line 7\r\n");
        assert_eq!(root(&trace).class.as_deref(), Some(class), "{first}");
    }
}

#[test]
fn what_only_tries_again_is_no_place_of_its_own() {
    let trace =
        |retry: &str| format!("A: x\n\tat com.acme.Loader.load(L.java:1)\n{retry}\tat com.acme.On.on(O.java:2)");
    let plain = root(&trace(""));
    assert_eq!(plain, root(&trace("\tat com.acme.RetryingHandler.handle(R.java:7)\n")));
    assert_eq!(plain.frames, ["com.acme.Loader.load", "com.acme.On.on"]);
    assert_eq!(root("A: x\n\tat com.acme.RetryPolicy.next(R.java:7)").frames, ["com.acme.RetryPolicy.next"]);
}

#[test]
fn a_writers_time_before_the_class_is_no_part_of_it() {
    for between in ["\n\n", ": "] {
        let first = "11/14/2026 13:54:04 +00:00: A.KeyNotFoundException: no key";
        let told = root(&format!("4 unhandled exceptions{between}{first}\n   at A.B.C() in x"));
        assert_eq!((told.class.as_deref(), told.message.as_deref()), (Some("A.KeyNotFoundException"), Some("no key")));
    }
}

#[test]
fn a_go_trace_that_was_cut_between_a_function_and_its_file_says_no_more() {
    let whole = "goroutine 7 [running]:\nmain.on(0x1)\n\t/app/on.go:7 +0x1\nmain.run(0x2)\n\t/app/run.go:9 +0x2\n";
    let cut = root(&whole[..whole.len() - 24]);
    assert_eq!((cut.message, cut.frames), (None, vec!["main.on".to_owned()]));
}

#[test]
fn a_panic_is_known_whatever_its_runner_put_before_it() {
    for head in [
        "thread 'fees-3' panicked at src/fees/fx.rs:41:52:\n",
        "task 17 panicked: thread 'fees-3' panicked at src/fees/fx.rs:41:52:\n",
        "task 17 panicked at src/fees/fx.rs:41:52: ",
    ] {
        check(&format!("{head}no rate"), "panic", "no rate", &["fees/fx"]);
    }
    check("the driver panicked at the bend: slowly", "", "the driver panicked at the bend: slowly", &[]);
}

#[test]
fn what_recovered_from_gos_panic_is_not_where_it_happened() {
    check(
        "goroutine 7 [running]:
runtime/debug.Stack()
\t/usr/local/go/src/runtime/debug/stack.go:24 +0x5e
github.com/acme/geo/internal/worker.(*Pool).process.func1()
\t/build/internal/worker/pool.go:48 +0x81
panic({0xd52a41?, 0xc000fbd57f?})
\t/usr/local/go/src/runtime/panic.go:785 +0x132
github.com/acme/geo/internal/depots.(*Resolver).Depot(0xc0001, {0xc0002, 0x7})
\t/build/internal/depots/resolver.go:34 +0x634
github.com/acme/geo/internal/worker.(*Pool).process(0xc0003)
\t/build/internal/worker/pool.go:60 +0x365",
        "",
        "",
        &[
            "github.com/acme/geo/internal/depots.(*Resolver).Depot",
            "github.com/acme/geo/internal/worker.(*Pool).process",
        ],
    );
}

#[test]
fn a_dotnet_stack_that_was_cut_between_two_says_no_more() {
    for end in ["-", "--- E", "--- End of stack trac…", "Error Number…"] {
        check(
            &format!("   at Acme.Ledger.PostAsync(Entry e) in /src/Ledger.cs:line 88\n{end}"),
            "",
            "",
            &["Acme.Ledger.PostAsync"],
        );
    }
}

#[test]
fn a_name_that_was_cut_is_no_frame() {
    let rust = "thread 'a' panicked at src/fees.rs:8:1:\nno fee\nstack backtrace:\n   4: acme::fees::fee\n             at ./src/fees.rs:8:1\n   5: acme::";
    check(
        &format!("{rust}worker::settle\n   6: start_thread"),
        "panic",
        "no fee",
        &["acme::fees::fee", "acme::worker::settle"],
    );
    check(&format!("{rust}wor"), "panic", "no fee", &["acme::fees::fee"]);
    let php = "A\\B: no in /app/src/A.php:7\nStack trace:\n#0 /app/src/Plan.php(7): App\\Plan->assign()\n#1 /app/src/C.php(9): App\\Han";
    check(php, "A\\B", "no", &["App\\Plan->assign"]);
    check("a.rb:1:in `book'\na.rb:2:in `ca", "", "", &["a:book"]);
    let elixir =
        "** (KeyError) no key\n    (shop 1.0.0) lib/tax.ex:7: Shop.Tax.rate/1\n    (shop 1.0.0) lib/bill.ex:8: Shop.Bi";
    check(elixir, "KeyError", "no key", &["Shop.Tax.rate"]);
}

#[test]
fn a_class_at_the_end_of_a_cut_trace_is_none() {
    let head = "com.acme.Refused: no\n\tat com.acme.A.b(A.java:1)\nCaused by: ";
    for cut in ["org.hibernate.StaleO", "org.hib", "org.hibernate.StaleO [truncated]", "org…"] {
        check(&format!("{head}{cut}"), "com.acme.Refused", "no", &["com.acme.A.b"]);
    }
    check(&format!("{head}java.lang.NullPointerException"), "java.lang.NullPointerException", "", &["com.acme.A.b"]);
    check(
        "io.circe.DecodingFailure$$anon$2: no field\n\tat com.acme.A.b(A.scala:1)",
        "io.circe.DecodingFailure",
        "no field",
        &["com.acme.A.b"],
    );
}

#[test]
fn frames_that_only_carry_others_are_no_callers() {
    check(
        "com.acme.Late: no answer
\tat com.acme.pay.PayClient.charge(PayClient.java:1)
\tat com.acme.calls.RemoteCalls.withMetrics(RemoteCalls.java:9)
\tat com.acme.orders.Orders.pay(Orders.java:1)",
        "com.acme.Late",
        "no answer",
        &["com.acme.pay.PayClient.charge", "com.acme.orders.Orders.pay"],
    );
    check(
        "Error: no answer\n    at charge (/app/pay/client.js:1:2)\n    at trace (/app/lib/tracing.js:3:4)\n    at pay (/app/orders/pay.js:5:6)",
        "Error",
        "no answer",
        &["pay/client:charge", "orders/pay:pay"],
    );
}

#[test]
fn php_tells_the_functions_of_the_application() {
    check(
        "Twig\\Error\\RuntimeError: no such variable in /app/templates/bill.html.twig:7
Stack trace:
#0 /app/src/Letter/Renderer.php(44): Twig\\Environment->render('bill', Array)
#1 /app/src/Letter/Mailer.php(12): App\\Letter\\Renderer->render(Object)
#2 /app/vendor/symfony/messenger/Middleware/HandleMessageMiddleware.php(155): App\\Handler\\SendBill->__invoke(Object)
#3 /app/vendor/symfony/messenger/Worker.php(162): Symfony\\Component\\Messenger\\MessageBus->dispatch(Object)
#4 {main}",
        "Twig\\Error\\RuntimeError",
        "no such variable in /app/templates/bill.html.twig:7",
        &["App\\Letter\\Renderer->render", "App\\Handler\\SendBill->__invoke"],
    );
}

#[test]
fn erlang_tells_one_error_as_a_term_and_in_words() {
    let frames = ["acme_tax:rate"];
    check(
        "{{badmatch,{error,timeout}},[{acme_tax,rate,2,[{file,\"src/acme_tax.erl\"},{line,12}]}]}",
        "badmatch",
        "{error,timeout}",
        &frames,
    );
    check(
        "exception error: no match of right hand side value {error,timeout}\n  in function  acme_tax:rate/2 (src/acme_tax.erl, line 12)",
        "badmatch",
        "{error,timeout}",
        &frames,
    );
}

#[test]
fn frames_that_begin_as_the_ones_before_them_do_are_passed_over_and_no_cause_is() {
    let frames = |owner: &str| format!("\tat {owner}.A.b(A.java:1)\n").repeat(5);
    let (shop, lib) = (frames("com.acme.shop"), frames("org.springframework.aop"));
    let stack = format!("a.B: x\n{shop}{lib}\tat com.acme.shop is not a frame\nCaused by: c.D: y\n{lib}{shop}{lib}");
    let found = root(&stack);
    assert_eq!((found.class.as_deref(), found.message.as_deref()), (Some("c.D"), Some("y")));
    assert_eq!(found.frames, ["com.acme.shop.A.b"]);
    // Without a package, nothing says that the lines behind it are frames.
    let found = root("B: x\n\tat A.b(A)\n\tat C.d(C)\n\tat E.f(E)\nCaused by: D: y\n\tat G.h(G)\n");
    assert_eq!((found.class.as_deref(), found.frames), (Some("D"), vec!["G.h".to_owned(), "A.b".to_owned()]));
}
