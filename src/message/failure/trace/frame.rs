//! One line of a stack trace, and its name without what varies: line numbers, lambdas, proxies, generics, hashes.
//!
//! Limits: a name is kept as it is written; minified or obfuscated names stay so.

use super::{around, libraries, path};
use crate::text::find::{behind, find, split, starts};

/// A frame as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// Java, Kotlin, Scala, .NET: a dotted name.
    Dotted(&'a str),
    /// Node, Python: a file and a function.
    File {
        /// As written.
        path: &'a str,
        /// Empty at the top level.
        function: &'a str,
        /// Whether the next line is source code.
        python: bool,
    },
    /// Ruby: a file and a method, and on the first line the exception.
    Ruby {
        /// As written.
        path: &'a str,
        /// With its class and block notes.
        method: &'a str,
        /// `message (Class)`, on the first line of a full report.
        header: Option<&'a str>,
    },
    /// Go: a function with its package, and the file.
    Go {
        /// With receiver, without arguments.
        function: &'a str,
        /// As written.
        path: &'a str,
    },
    /// Rust and C++: a path of modules.
    Rust(&'a str),
    /// PHP, Perl: a method and the file.
    Php {
        /// `Class->method` or `Class::method`.
        function: &'a str,
        /// As written.
        path: &'a str,
    },
    /// Elixir and Erlang: an application and a function.
    Elixir {
        /// The OTP application; empty where the writer left it out.
        application: &'a str,
        /// `Module.function/arity`, or with its arguments.
        function: &'a str,
    },
    /// A frame that names no place: a proxy, a lambda's class, generated code.
    Nowhere,
}

/// Reads a line as a frame; `before` is the line before it.
pub(super) fn read<'a>(text: &'a str, line: &'a str, before: &'a str) -> Option<Frame<'a>> {
    if let Some(rest) = ["at ", "bei ", "à ", "в "].iter().find_map(|at| text.strip_prefix(at)) {
        return dotted_or_node(rest);
    }
    if let Some(rest) = behind(text, "File \"") {
        let (path, rest) = rest.split_once("\", line ")?;
        let function = split(rest, ", in ").map_or("", |(_, function)| function);
        return Some(Frame::File { path, function, python: true });
    }
    // Go's runtime has assembler files.
    if line.starts_with(['\t', ' '])
        && let Some((at, end)) = find(text, ".go:").map(|at| (at, 3)).or_else(|| find(text, ".s:").map(|at| (at, 2)))
    {
        return Some(go(before.trim(), text.get(..at + end).unwrap_or_default()));
    }
    if let Some(found) =
        ruby(text).or_else(|| elixir(text)).or_else(|| erlang(text)).or_else(|| perl(text)).or_else(|| cpp(text))
    {
        return Some(found);
    }
    if let Some(rest) = numbered(text) {
        let rest = rest.strip_prefix("0x").and_then(|hex| split(hex, " - ")).map_or(rest, |(_, rest)| rest);
        return (!rest.contains(' ') || rest.starts_with('<')).then_some(Frame::Rust(rest));
    }
    php(text)
}

/// The dotted name of what can be nothing but a frame of Java or .NET behind its `at`: a name and its arguments. A space
/// in the name is Node's.
pub(super) fn called(frame: &str) -> Option<&str> {
    let at = memchr::memchr2(b'(', b' ', frame.as_bytes())?;
    frame.get(..at).filter(|_| frame.as_bytes().get(at) == Some(&b'('))
}

/// What follows `12: `.
pub(super) fn numbered(text: &str) -> Option<&str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=4).contains(&digits).then(|| text.get(digits..)?.strip_prefix(": ")).flatten().map(str::trim)
}

/// `a.b.C.m(File.java:12)`, `A.B.M(C c) in X:line 1`, `f (x.js:1:2)`, `x.js:1:2`.
fn dotted_or_node(rest: &str) -> Option<Frame<'_>> {
    if let Some(place) = rest.strip_suffix(')').and_then(|rest| rest.rsplit_once('('))
        && let (name, place) = (place.0, place.1)
        && name.ends_with(' ')
    {
        return Some(match path::without_position(place) {
            Some(path) => Frame::File { path, function: name.trim_end(), python: false },
            None => Frame::Nowhere,
        });
    }
    if let Some(end) = rest.find('(') {
        let name = rest.get(..end)?;
        // Node's, whose end was cut off.
        if name.ends_with(' ') {
            return Some(Frame::Nowhere);
        }
        return (!name.is_empty() && !name.contains(' ')).then_some(Frame::Dotted(name));
    }
    let path = path::without_position(rest.strip_prefix("async ").unwrap_or(rest))?;
    // The second line of a Rust frame names no function.
    let rust = has_extension(path, "rs");
    Some(if rust { Frame::Nowhere } else { Frame::File { path, function: "", python: false } })
}

/// Whether a path's file is of that kind.
pub(super) fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, end)| end == extension)
}

/// A function line `pkg.(*T).Method(0xc0, …)` or, of pkg/errors, without arguments.
pub(super) fn go<'a>(function: &'a str, path: &'a str) -> Frame<'a> {
    let function = match function.strip_suffix(')') {
        Some(open) => open.rsplit_once('(').map_or(open, |(function, _)| function),
        None => function,
    };
    if function.is_empty() || function.starts_with("created by ") || function.contains(' ') {
        return Frame::Nowhere;
    }
    Frame::Go { function, path }
}

/// `app/x.rb:12:in 'm'`, with `from ` before it or `: message (Class)` after it.
fn ruby(text: &str) -> Option<Frame<'_>> {
    let text = behind(text, "from ").unwrap_or(text);
    let at = find(text, ":in `").or_else(|| find(text, ":in '"))?;
    let path = path::without_position(text.get(..at)?)?;
    let rest = text.get(at + 5..)?;
    let end = rest.find('\'')?;
    let header = rest.get(end + 1..)?.strip_prefix(": ");
    Some(Frame::Ruby { path, method: rest.get(..end)?, header })
}

/// `(shop 0.1.0) lib/shop/tax.ex:12: Shop.Tax.rate/2`, without the application where it is the one that runs.
pub(super) fn elixir(text: &str) -> Option<Frame<'_>> {
    let (application, rest) = match text.strip_prefix('(') {
        Some(rest) => split(rest, ") ").map(|(name, rest)| (name.split(' ').next().unwrap_or(name), rest))?,
        None => ("", text),
    };
    let (place, function) = split(rest, ": ")?;
    let (path, line) = place.rsplit_once(':')?;
    let is_source = [".ex", ".erl", ".exs"].iter().any(|end| path.ends_with(end));
    let is_place = is_source && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    is_place.then_some(Frame::Elixir { application, function })
}

/// `in function  acme_tax:rate/2 (src/acme_tax.erl, line 12)` and `in call from …` of Erlang's crash reports.
fn erlang(text: &str) -> Option<Frame<'_>> {
    let rest = behind(text, "in function ").or_else(|| behind(text, "in call from "))?.trim_start();
    let (function, place) = split(rest, " (")?;
    let (path, _) = split(place, ", line ")?;
    Some(Frame::Elixir { application: if path.contains('/') { "" } else { "stdlib" }, function })
}

/// A reason with its stack as Erlang prints the term: `{{badmatch,{error,timeout}},[{acme_tax,rate,2,[{file,"src/acme_tax.erl"},{line,12}]},…]}`.
pub(super) fn erlang_term(text: &str) -> Option<super::Root> {
    let inside = text.trim().strip_prefix('{')?;
    let (reason, stack) = split(inside, ",[{")?;
    if !stack.contains("[{file,") {
        return None;
    }
    let frames = stack.split("]},{").filter_map(|frame| {
        let mut parts = frame.splitn(4, ',');
        let (module, function, _, place) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let path = place.split('"').nth(1)?;
        path.contains('/').then(|| format!("{module}:{function}"))
    });
    let reason = reason.strip_prefix('{').and_then(|reason| reason.strip_suffix('}')).unwrap_or(reason);
    let (class, rest) = reason.split_once(',').unwrap_or((reason, ""));
    Some(super::Root {
        class: Some(class.to_owned()),
        message: (!rest.is_empty()).then(|| rest.to_owned()),
        frames: frames.take(super::MAX_FRAMES).collect(),
    })
}

/// `Acme::Book::entry(…) called at /opt/acme/book.pl line 12`, as Perl's Carp has it.
fn perl(text: &str) -> Option<Frame<'_>> {
    let (call, place) = split(text, ") called at ")?;
    let (path, _) = place.rsplit_once(" line ")?;
    Some(Frame::Php { function: call.split('(').next().unwrap_or(call), path })
}

/// `#4 0x00005 in acme::Parser::parse (this=0x7f) at /src/parser.cpp:88` of a debugger, ` 4# acme::Parser::parse(int) at …` of
/// Boost, `@ 0x00005 acme::Parser::parse()` of glog.
fn cpp(text: &str) -> Option<Frame<'_>> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (rest, sure) = if let Some(rest) = text.strip_prefix('#') {
        (rest.get(digits(rest)..)?.strip_prefix(' ')?.trim_start(), false)
    } else if let Some(rest) = text.strip_prefix('@') {
        (rest.trim_start(), false)
    } else {
        let count = digits(text);
        (text.get(count..)?.strip_prefix("# ").filter(|_| count > 0)?.trim_start(), true)
    };
    let (rest, sure) = match rest.strip_prefix("0x") {
        Some(hex) => {
            let hex = hex.trim_start_matches(|c: char| c.is_ascii_hexdigit()).trim_start();
            (hex.strip_prefix("in ").unwrap_or(hex), true)
        }
        None => (rest, sure || find(rest, " at ").is_some() && !rest.starts_with(['/', '{', '['])),
    };
    let end = rest.find(['(', '<', ' ']).unwrap_or(rest.len());
    let function = rest.get(..end)?;
    let is_name = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'~'));
    (sure && !function.is_empty() && function.split("::").all(is_name)).then_some(Frame::Rust(function))
}

/// `#0 /app/H.php(42): App\H->m(…)`.
fn php(text: &str) -> Option<Frame<'_>> {
    let rest = text.strip_prefix('#')?;
    let (number, rest) = rest.split_once(' ')?;
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if rest.starts_with(['{', '[']) {
        return Some(Frame::Nowhere);
    }
    let (place, function) = split(rest, "): ")?;
    let (path, _) = place.rsplit_once('(')?;
    // Without its arguments, the name was cut.
    Some(function.split_once('(').map_or(Frame::Nowhere, |(function, _)| Frame::Php { function, path }))
}

impl Frame<'_> {
    /// Whether it is the frame before it once more: as it is, or what a compiler made of the same function.
    pub(super) fn repeats(&self, last: &Self) -> bool {
        let compiled = matches!(self, Self::Dotted(name) if name.contains('$'));
        self == last || compiled && self.name() == last.name()
    }

    /// Whether it only carries what others do, and tries it again, measures, traces or guards it: such a frame comes and
    /// goes with the number of tries and with what is switched on.
    pub(super) fn only_carries(&self) -> bool {
        match self {
            Self::Dotted(name) => around::only_carries(name),
            Self::File { path, function, .. } => around::only_carries_of_file(path, clean_script(function)),
            Self::Ruby { path, method, .. } => around::only_carries_of_file(path, clean_ruby(method)),
            _ => false,
        }
    }

    /// Whether nothing ends its name, so that it may be the start of a longer one.
    pub(super) fn may_be_cut(&self) -> bool {
        match self {
            Self::Rust(_) | Self::File { python: true, .. } => true,
            Self::Elixir { function, .. } => !function.contains(['/', '(']),
            _ => false,
        }
    }

    /// Whether Go panicked here: those above it are of what recovered.
    pub(super) fn is_go_panic(&self) -> bool {
        matches!(self, Self::Go { function: "panic" | "runtime.gopanic", .. })
    }

    /// Whether source code follows.
    pub(super) fn is_python(&self) -> bool {
        matches!(self, Self::File { python: true, .. })
    }

    /// Whether it is code of the application and not of a library or runtime.
    pub(super) fn is_application(&self) -> bool {
        match self {
            Self::Dotted(name) => !is_generated(name) && library_of(name).is_none(),
            Self::File { path, function, python } => {
                // Since Python 3.12 a comprehension has no frame of its own; the function it stands in always has one.
                let within = *python && matches!(*function, "<listcomp>" | "<dictcomp>" | "<setcomp>" | "<genexpr>");
                let bundled = path.starts_with("/var/task/")
                    && path::installed(path).is_some_and(|package| *python && libraries::is_python_library(package));
                !within && !bundled && !path::is_library(path)
            }
            Self::Ruby { path, .. } => !path::is_library(path),
            // PHP tells the file that called the function.
            Self::Php { function, path } => {
                !libraries::is_php_library(function) && (!path::is_library(path) || function.starts_with("App\\"))
            }
            Self::Go { function, path } => !path::is_library(path) && !libraries::is_go_library(function),
            Self::Rust(name) => libraries::is_rust_application(name),
            Self::Elixir { application, function } => !libraries::is_elixir_library(application, function),
            Self::Nowhere => false,
        }
    }

    /// The package of a Python frame among installed ones, where it is none of those that consumers are commonly built of:
    /// an application may be installed as its libraries are.
    pub(super) fn installed(&self) -> Option<&str> {
        match self {
            Self::File { path, python: true, .. } => {
                path::installed(path).filter(|package| !libraries::is_python_library(package))
            }
            _ => None,
        }
    }

    /// The frame's name, stable over builds, machines and inputs.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Dotted(name) => clean_dotted(without_module(name)),
            Self::File { path, function, .. } => join(&path::short(path), clean_script(function)),
            Self::Ruby { path, method, .. } => join(&path::short(path), clean_ruby(method)),
            Self::Go { function, .. } => clean_go(function),
            Self::Rust(name) => clean_rust(name),
            Self::Php { function, .. } => (*function).to_owned(),
            Self::Elixir { function, .. } => clean_elixir(function).to_owned(),
            Self::Nowhere => String::new(),
        }
    }
}

impl<'a> Frame<'a> {
    /// The message of a Ruby report's first line.
    pub(super) fn ruby_message(&self) -> Option<&'a str> {
        let Self::Ruby { header: Some(header), .. } = self else { return None };
        Some(header.rsplit_once(" (").map_or(*header, |(message, _)| message))
    }

    /// The class of a Ruby report's first line.
    pub(super) fn ruby_class(&self) -> Option<&'a str> {
        let Self::Ruby { header: Some(header), .. } = self else { return None };
        header.strip_suffix(')').and_then(|header| header.rsplit_once(" (")).map(|(_, class)| class)
    }
}

fn join(file: &str, function: &str) -> String {
    if function.is_empty() { file.to_owned() } else { format!("{file}:{function}") }
}

/// The first words of the library that a dotted name belongs to.
pub(super) fn library_of(name: &str) -> Option<&'static str> {
    libraries::dotted_library(without_module(name))
}

/// Java's `java.base/` and `app//` in front of a name.
fn without_module(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, name)| name)
}

/// Proxies, accessors and the classes of lambdas.
pub(super) fn is_generated(name: &str) -> bool {
    const MARKS: [&str; 15] = [
        "$$$view",
        "_$$_Weld",
        "$$serializer",
        "$$Lambda",
        "$$Enhancer",
        "$$SpringCGLIB",
        "$$FastClass",
        "$Proxy",
        "GeneratedMethodAccessor",
        "ByteBuddy$",
        "$HibernateProxy",
        "$auxiliary$",
        ".access$",
        "$$Subclass",
        "_ClientProxy",
    ];
    ["lambda_method", "Internal.Generated.", "_COROUTINE.", "\u{8}"].iter().any(|start| starts(name, start))
        || (name.contains(['$', '_']) && MARKS.iter().any(|mark| name.contains(mark)))
}

/// The body that Kotlin compiles of a suspended function or lambda: `A$take$1.invokeSuspend` is of `A.take`.
const SUSPENDED: &str = ".invokeSuspend";

/// The function of such a body, without the numbers of the lambdas in it.
fn clean_suspended(body: &str) -> String {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut name = body;
    while let Some((owner, _)) = name.rsplit_once('$').filter(|(_, number)| is_number(number)) {
        name = owner;
    }
    match name.rsplit_once('$') {
        Some((owner, function)) => format!("{owner}.{function}"),
        None => name.to_owned(),
    }
}

fn clean_dotted(name: &str) -> String {
    if let Some(body) = name.strip_suffix(SUSPENDED) {
        return clean_suspended(body);
    }
    let name = name.find('[').map_or(name, |at| name.get(..at).unwrap_or(name));
    if let Some(at) = name.find('<') {
        return clean_compiled(name, at);
    }
    if !name.bytes().any(|byte| matches!(byte, b'$' | b'`' | b'@' | b'_')) {
        return name.to_owned();
    }
    let name = name.replace(".lambda$", ".").replace(".$anonfun$", ".").replace("$adapted", "");
    // Compiler numbers: `A$1.run`, `handle$0`, `Repo`1.Get`.
    let mut out = String::with_capacity(name.len());
    let mut rest = name.as_str();
    while let Some(at) = rest.find(['$', '`']) {
        let digits = rest.bytes().skip(at + 1).take_while(u8::is_ascii_digit).count();
        let end = at + 1 + digits;
        let number = digits > 0 && rest.as_bytes().get(end).is_none_or(|b| matches!(b, b'.' | b'$' | b'`'));
        out.push_str(rest.get(..if number { at } else { at + 1 }).unwrap_or_default());
        rest = rest.get(if number { end } else { at + 1 }..).unwrap_or_default();
    }
    out.push_str(rest);
    without_numbers(out)
}

/// A name without the numbers that Clojure and F# give to functions that have no name: `handle$fn__4377`, `onQuote@10-3`.
fn without_numbers(name: String) -> String {
    if !name.contains('@') && find(&name, "__").is_none() {
        return name;
    }
    let mut out = String::with_capacity(name.len());
    let mut rest = name.as_str();
    while let Some(at) = rest.find(['@', '_']) {
        let mark = at + if rest.get(at..).is_some_and(|rest| rest.starts_with("__")) { 2 } else { 1 };
        let tail = rest.get(mark..).unwrap_or_default();
        let behind = tail.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        let number = (mark > at + 1 || rest.as_bytes().get(at) == Some(&b'@'))
            && tail.starts_with(|c: char| c.is_ascii_digit())
            && (behind.is_empty() || behind.starts_with(['.', '$']));
        out.push_str(rest.get(..if number { at } else { mark }).unwrap_or_default());
        rest = if number { behind } else { tail };
    }
    out.push_str(rest);
    out
}

/// .NET's compiled names: `A.<HandleAsync>d__5.MoveNext`, `A.<>c__DisplayClass5_0.<Handle>b__0`, `A.<Handle>g__Local|5_0`.
fn clean_compiled(name: &str, at: usize) -> String {
    let owner = name.get(..at).unwrap_or_default().trim_end_matches(['.', '+']);
    let method = name
        .split('<')
        .skip(1)
        .filter_map(|part| part.split('>').next())
        .find(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    let method = method.unwrap_or_default();
    if method.is_empty() { owner.to_owned() } else { format!("{owner}.{method}") }
}

/// Node's and Python's function without what the engine adds.
fn clean_script(function: &str) -> &str {
    let function = function.split(" [as ").next().unwrap_or(function).trim();
    let function = function.strip_prefix("async ").unwrap_or(function);
    let function = function.strip_prefix("new ").unwrap_or(function);
    let function = ["Object.", "Module.", "exports.", "Runtime."]
        .iter()
        .find_map(|owner| function.strip_prefix(owner))
        .unwrap_or(function);
    match function {
        "<anonymous>" | "anonymous" | "<module>" | "<lambda>" | "eval" => "",
        name => name.strip_suffix(".<anonymous>").unwrap_or(name),
    }
}

/// Ruby's method without `block in`, `rescue in` and its class: versions differ in them.
fn clean_ruby(method: &str) -> &str {
    let method = method.rsplit_once(" in ").map_or(method, |(_, method)| method);
    let method = method.rsplit_once(['#', '.']).map_or(method, |(_, method)| method);
    if method.starts_with('<') { "" } else { method }
}

fn clean_go(function: &str) -> String {
    let function = function.replace("[...]", "");
    let mut name = function.as_str();
    // Closures: `.func1`, `.func1.2`, `.gowrap1`, `.deferwrap2`.
    while let Some((owner, last)) = name.rsplit_once('.') {
        let word = last.trim_end_matches(|c: char| c.is_ascii_digit());
        if !(word.is_empty() || (word.len() < last.len() && matches!(word, "func" | "gowrap" | "deferwrap"))) {
            break;
        }
        name = owner;
    }
    name.to_owned()
}

/// Elixir's function without its arity, its arguments and what says that it was called in one.
fn clean_elixir(function: &str) -> &str {
    let function = function.rsplit_once(" in ").map_or(function, |(_, function)| function);
    let function = function.split('(').next().unwrap_or(function);
    function.rsplit_once('/').map_or(function, |(name, _)| name)
}

fn clean_rust(name: &str) -> String {
    let name = name.replace("::{{closure}}", "").replace("::{closure#0}", "").replace("::{async_fn#0}", "");
    // The compiler's hash: `::h` and sixteen hex digits.
    match name.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => name.to_owned(),
        _ => name,
    }
}

/// A class without generic arguments, proxies and compiler numbers.
pub(super) fn clean_class(class: &str) -> String {
    let class = class.split("$$").next().unwrap_or(class);
    let end = class.find(['<', '`']).unwrap_or(class.len());
    class.get(..end).unwrap_or(class).to_owned()
}
