//! The root of a stack trace: its innermost cause and the application frames nearest to it.
//!
//! One pass over the lines reads traces of Java and its relatives, .NET, Python, Node, Go, Rust, C++, Ruby, PHP, Elixir and
//! Perl, without asking which one it is: each line says what it is. Nested causes become sections; wrappers that say nothing of
//! their own are passed over. Limits: [`MAX_LINES`] lines; a cause that the writer cut off is not known.

mod around;
mod asked;
mod frame;
mod libraries;
mod path;

use frame::Frame;

use crate::text::find::{behind, find, split, starts};

/// Lines beyond this are not read.
const MAX_LINES: usize = 2_000;
/// How many application frames are told: the innermost and its caller.
const MAX_FRAMES: usize = 2;
/// Lines of a message whose first one only announces errors.
const COUNTED_LINES: usize = 24;
/// More nested causes than this are not followed.
const MAX_SECTIONS: usize = 64;

/// What a stack trace says about the root of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Root {
    /// The class of the innermost cause that is no wrapper.
    pub(crate) class: Option<String>,
    /// Its message, first line; and the lines behind it where that one only counts errors.
    pub(crate) message: Option<String>,
    /// The application frames, innermost first, without line numbers, lambdas, proxies and libraries.
    pub(crate) frames: Vec<String>,
}

/// Reads the root of a stack trace.
pub(crate) fn root(stack: &str) -> Root {
    if let Some(root) = frame::erlang_term(stack) {
        return root;
    }
    let is_whole = stack.ends_with('\n');
    let stack = without_mark(stack);
    let mut reader = Reader::default();
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', stack.as_bytes()).chain([stack.len()]).take(MAX_LINES) {
        let line = stack.get(start..end).unwrap_or_default();
        start = end + 1;
        if reader.goes_on(line) {
            continue;
        }
        reader.last = end == stack.len() && !is_whole;
        if !reader.dotted(line) && !reader.line(line.trim_end()) {
            break;
        }
    }
    let mut root = reader.finish();
    if let Some(at) = root.message.as_ref().filter(|text| announces(text)).and_then(|text| stack.find(text.as_str())) {
        let rest = stack.get(at..).unwrap_or_default();
        let lines: Vec<&str> = rest.lines().take(COUNTED_LINES).take_while(|line| is_told(line)).collect();
        root.message = Some(lines.join("\n"));
    }
    root
}

/// A text without what says that it was cut.
fn without_mark(text: &str) -> &str {
    let text = text.trim_end();
    let cut = ["[truncated]", "(truncated)", "<truncated>", "…", "..."].iter().find_map(|mark| text.strip_suffix(mark));
    cut.unwrap_or(text).trim_end()
}

/// Whether a line goes on with a message, and is no frame.
fn is_told(line: &str) -> bool {
    let text = line.trim_start();
    !text.is_empty() && !text.starts_with("at ")
}

/// Whether a message's first line only says that errors follow, or how many, as pydantic's do: the next lines say which.
pub(crate) fn announces(first_line: &str) -> bool {
    let first_line = first_line.trim_end();
    // A bracket that was opened nowhere: the line is a prefix of what follows, as ClickHouse's client writes it.
    let closes_more = || first_line.ends_with(')') && first_line.matches(')').count() > first_line.matches('(').count();
    first_line.ends_with(':')
        || closes_more()
        || (find(first_line, "validation error").is_some()
            && [" validation error for ", " validation errors for "].iter().any(|told| first_line.contains(told)))
}

/// The class and message behind `nested exception is` or `--->` in a message without a stack.
pub(crate) fn nested(message: &str) -> Option<(&str, &str)> {
    let (_, inner) = message.rsplit_once("nested exception is ").or_else(|| message.rsplit_once(" ---> "))?;
    let (class, text) = header(inner.lines().next()?);
    Some((class?, text))
}

/// The class of an error that a text begins with, and the text behind it.
pub(crate) fn named(text: &str) -> Option<(&str, &str)> {
    let line = text.lines().next()?;
    let (class, told) = header(line);
    // The bare ones say no more than that they are one.
    let is_told = |class: &str| is_error(class) && !matches!(class, "Error" | "Exception");
    let class = class.filter(|class| starts(line, "** (") || is_told(class))?;
    let at = line.rfind(told).filter(|_| !told.is_empty())?;
    Some((class, text.get(at..)?.trim_end()))
}

/// Whether a name ends as those of errors do.
pub(crate) fn is_error(name: &str) -> bool {
    ["Error", "Exception"].iter().any(|end| name.ends_with(end))
}

/// What leads to the place in a report of a Rust panic.
const PANICKED: &str = "panicked at ";

/// Where a Rust program panicked, and with what, as the first line of a text or the one behind it says: `thread 'main'
/// panicked at src/fees.rs:88:14:`, or `task 17 panicked at src/fees.rs:88:14: no fee` of who ran it.
pub(crate) fn panicked(text: &str) -> Option<(&str, &str)> {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (place, told) = panic_at(split(line.trim_end(), PANICKED)?.1);
    let path = path::without_position(place).filter(|path| frame::has_extension(path, "rs"))?;
    Some((path, told.unwrap_or_else(|| rest.lines().next().unwrap_or_default().trim())))
}

/// The place, and the message where it stands in the same line.
fn panic_at(at: &str) -> (&str, Option<&str>) {
    // Before Rust 1.73 the message stood in quotes before the place.
    let quoted = at.strip_prefix('\'').and_then(|at| at.rsplit_once("', "));
    // Or it is behind it, where a writer made one line of two.
    let (place, told) = match quoted {
        Some((message, place)) => (place, Some(message)),
        None => split(at, ": ").map_or((at, None), |(place, message)| (place, Some(message))),
    };
    (place.trim_end_matches(':'), told)
}

/// Whether a line is a frame of Elixir or Erlang.
pub(crate) fn is_elixir(line: &str) -> bool {
    frame::elixir(line).is_some()
}

/// Those of the frames that say where it happened.
pub(crate) use asked::telling;

/// Whether a class only carries another failure.
pub(crate) fn is_wrapper(class: &str) -> bool {
    libraries::is_wrapper(class)
}

/// A class without its package.
pub(crate) fn short_class(class: &str) -> &str {
    libraries::short(class)
}

/// One exception of a chain.
#[derive(Default)]
struct Section<'a> {
    class: Option<&'a str>,
    message: &'a str,
    frames: Vec<Frame<'a>>,
    /// Of Python: the innermost frame of the outermost installed package that is no known library. It stands for the
    /// application's where there is none.
    installed: Option<Frame<'a>>,
}

/// Where the reader is.
#[derive(Default)]
struct Reader<'a> {
    /// Outermost first, except in Python.
    sections: Vec<Section<'a>>,
    /// The section that frames belong to.
    current: usize,
    /// Python: frames come outermost first, the class after them, and the innermost cause first.
    python: bool,
    /// Frames of Go were read.
    go: bool,
    /// In a Python section whose class has not come yet.
    open: bool,
    /// The line after a Python frame is its source code.
    source_next: bool,
    /// Lines indented at least so far belong to a suppressed exception.
    suppressed: Option<usize>,
    /// After a bare `Caused by:`, as Rust's error reports write it, the causes are listed one a line.
    listing: bool,
    /// After a Rust panic's first line, its message comes.
    message_next: bool,
    /// The file that a Rust program panicked in, for a report without frames.
    panicked: &'a str,
    /// The line before: in Go, the function of the file in this one.
    before: &'a str,
    /// This line is the last, and may have been cut.
    last: bool,
    /// The last line was a header.
    ends_in_header: bool,
    /// The library of the last frame that was one's: frames of one come in a row.
    library: &'static str,
    /// How lines begin that go on with what was passed over last; empty where they are to be looked at.
    row: &'a str,
}

impl<'a> Reader<'a> {
    /// Takes a line that begins as those before it did, of which none counted: most of a trace.
    fn goes_on(&mut self, line: &'a str) -> bool {
        let goes_on = !self.row.is_empty() && line.starts_with(self.row);
        if goes_on {
            self.before = line;
        }
        goes_on
    }

    /// Takes a line that can be nothing but a frame of Java or .NET, as most lines are. One of the application's is kept;
    /// of a library's, or one too many, all that counts is that it was there. False, and nothing taken, for any other line.
    fn dotted(&mut self, line: &'a str) -> bool {
        if self.suppressed.is_some() || self.source_next || self.message_next {
            return false;
        }
        let Some(frame) = behind(line.trim_ascii_start(), "at ") else { return false };
        let head = line.len() - frame.len();
        let mut own = None;
        if !self.library.is_empty() && starts(frame, self.library) {
            self.row = line.get(..head + self.library.len()).unwrap_or_default();
        } else {
            let Some(name) = frame::called(frame) else { return false };
            // No frame behind the last one that is kept counts, whosever it is; in Python the last ones are kept.
            let is_full = self.sections.get(self.current).is_some_and(|section| section.frames.len() == MAX_FRAMES);
            self.row = if is_full && !self.python {
                owner_end(frame).and_then(|end| line.get(..head + end)).unwrap_or_default()
            } else {
                match frame::library_of(name) {
                    Some(library) => self.library = library,
                    None => own = Some(name).filter(|name| !frame::is_generated(name)),
                }
                ""
            };
        }
        self.before = line;
        if self.sections.is_empty() {
            self.push(Section::default());
        }
        if let Some(name) = own {
            self.keep(Frame::Dotted(name), false);
        }
        true
    }

    /// Takes one line; false to stop.
    fn line(&mut self, line: &'a str) -> bool {
        self.row = "";
        let mut line = line;
        // Python draws a line beside the members of an exception group.
        while let Some(inner) = line.trim_start().strip_prefix("| ") {
            line = inner;
        }
        let text = line.trim_start();
        let indent = line.len() - text.len();
        // Node opens a block after the last frame when there is a cause.
        let text = text.strip_suffix(" {").unwrap_or(text);
        let before = std::mem::replace(&mut self.before, line);
        if text.is_empty() {
            return true;
        }
        if let Some(limit) = self.suppressed {
            if indent >= limit {
                return true;
            }
            self.suppressed = None;
        }
        if std::mem::take(&mut self.source_next) && indent > 2 && !text.starts_with("File \"") {
            return true;
        }
        if std::mem::take(&mut self.message_next) {
            if let Some(section) = self.sections.last_mut() {
                section.message = text;
            }
            return true;
        }
        // Most lines are frames of Java, .NET or Node: they are known by their start.
        if text.starts_with("at ") && self.frame(text, line, before) {
            return true;
        }
        // The first inner exception was told before; the others have causes of their own.
        if text.starts_with("---> (Inner Exception #") {
            return false;
        }
        // JAXB and others of its time put the cause on a line of its own.
        if before.trim_end().ends_with("with linked exception:")
            && let Some(inner) = text.strip_prefix('[')
        {
            self.push_header(inner.trim_end_matches(']'));
            return true;
        }
        if self.mark(text, indent) || self.frame(text, line, before) {
            return true;
        }
        self.words(text, indent);
        true
    }

    /// Lines that say where a section starts or ends.
    fn mark(&mut self, text: &'a str, indent: usize) -> bool {
        if text == "Caused by:" {
            self.listing = true;
        } else if text.eq_ignore_ascii_case("stack backtrace:") {
            self.listing = false;
            self.current = 0;
        } else if let Some(rest) = behind(text, "Caused by: ").or_else(|| behind(text, "[cause]: ")) {
            self.push_header(rest);
        } else if starts(text, "Suppressed: ") {
            self.suppressed = Some(indent);
        } else if starts(text, "--- End of inner exception") {
            self.current = self.current.saturating_sub(1);
        } else if let Some(rest) = behind(text, "---> ") {
            self.push_chain(rest);
        } else if let Some(rest) = behind(text, "** (EXIT) ") {
            self.push(Section { class: Some("EXIT"), message: rest, ..Section::default() });
        } else if is_traceback(text) {
            // What stands before the first traceback is somebody's log line.
            if !std::mem::replace(&mut self.python, true) {
                self.sections.clear();
            }
            self.open = true;
            self.push(Section::default());
        } else if let Some(rest) = behind(text, "exception error: ") {
            // A crash report of Erlang, whose lines before tell the process.
            self.sections.clear();
            // What the shell puts into words is `{badmatch, Value}`.
            let (class, message) = rest
                .strip_prefix("no match of right hand side value ")
                .map_or(("error", rest), |value| ("badmatch", value));
            self.push(Section { class: Some(class), message, ..Section::default() });
        } else if let Some(rest) = behind(text, "panic: ") {
            self.push(Section { class: Some("panic"), message: rest, ..Section::default() });
        } else if let Some(rest) = behind(text, "fatal error: ") {
            self.push(Section { class: Some("fatal error"), message: rest, ..Section::default() });
        } else if starts(text, "thread '") || (self.sections.is_empty() && panicked(text).is_some()) {
            self.rust_panic(text);
        } else if let Some(rest) = behind(text, "terminate called after throwing an instance of '") {
            self.push(Section { class: rest.strip_suffix('\''), ..Section::default() });
        } else if let Some((rest, section)) = behind(text, "what():").zip(self.sections.last_mut()) {
            section.message = rest.trim();
        } else {
            return is_noise(text);
        }
        true
    }

    /// Frames of Python without the line that announces them: cut off, or left out as AWS Lambda does. Lines before
    /// them that name no class are what was left of others.
    fn begin_python(&mut self) {
        self.python = true;
        if self.sections.iter().all(|section| section.class.is_none() && section.frames.is_empty()) {
            self.sections.clear();
            self.push(Section::default());
            self.open = true;
        }
    }

    fn rust_panic(&mut self, text: &'a str) {
        let (place, told) = split(text, PANICKED).map_or(("", None), |(_, at)| panic_at(at));
        self.message_next = told.is_none();
        self.panicked = path::without_position(place).unwrap_or_default();
        self.push(Section { class: Some("panic"), message: told.unwrap_or_default(), ..Section::default() });
    }

    /// A stack frame of any language.
    fn frame(&mut self, text: &'a str, line: &'a str, before: &'a str) -> bool {
        if self.listing && frame::numbered(text).is_some() {
            return false;
        }
        let Some(found) = frame::read(text, line, before) else { return false };
        self.source_next = found.is_python();
        if let (Some(message), Some(class)) = (found.ruby_message(), found.ruby_class()) {
            self.push(Section { class: Some(class), message, ..Section::default() });
        }
        // In Go the function's line comes before the file's, and was taken for a header.
        if matches!(found, Frame::Go { .. })
            && self
                .sections
                .last()
                .is_some_and(|s| s.class.is_none() && s.frames.is_empty() && s.message == before.trim())
        {
            self.sections.pop();
            self.current = self.sections.len().saturating_sub(1);
        }
        if found.is_python() && !self.python {
            self.begin_python();
        }
        if self.sections.is_empty() {
            self.push(Section::default());
        }
        self.go |= matches!(found, Frame::Go { .. });
        // What stands above Go's panic recovered from it, and is the same for all.
        if found.is_go_panic()
            && let Some(section) = self.sections.get_mut(self.current)
        {
            section.frames.clear();
        }
        if found.is_application() {
            self.keep(found, self.last && found.may_be_cut());
        } else if let Some(package) = found.installed()
            && let Some(section) = self.sections.get_mut(self.current)
            && section.installed.as_ref().is_none_or(|outer| outer.installed() == Some(package))
        {
            section.installed = Some(found);
        }
        true
    }

    /// Keeps a frame of the application, of which the first ones count; in Python, the last ones.
    fn keep(&mut self, found: Frame<'a>, cut: bool) {
        let python = self.python;
        if let Some(section) = self.sections.get_mut(self.current)
            && !section.frames.last().is_some_and(|last| cut || found.repeats(last) || found.only_carries())
        {
            if section.frames.len() < MAX_FRAMES {
                section.frames.push(found);
            } else if python {
                section.frames.remove(0);
                section.frames.push(found);
            }
        }
    }

    /// Any other line: the first is the outermost header, in Python the first that is not indented after frames.
    fn words(&mut self, text: &'a str, indent: usize) {
        if self.listing {
            self.push(Section { message: frame::numbered(text).unwrap_or(text), ..Section::default() });
        } else if self.open && indent == 0 {
            self.open = false;
            if let Some(section) = self.sections.last_mut() {
                (section.class, section.message) = header(text);
            }
        } else if self.sections.is_empty() || (indent == 0 && self.sections.iter().all(|s| s.class.is_none())) {
            // Behind frames, what ends a text that was cut is no header.
            if !self.last || self.sections.iter().all(|section| section.frames.is_empty()) {
                self.push_chain(text);
            }
        } else if let Some((_, rest)) = split(text, " ---> ") {
            self.push_chain(rest);
        }
    }

    /// A header that may hold inner ones: `A: x ---> B: y`.
    fn push_chain(&mut self, text: &'a str) {
        let mut rest = text;
        while let Some((part, inner)) = split(rest, " ---> ") {
            self.push_header(part);
            rest = inner;
        }
        self.push_header(rest);
    }

    fn push_header(&mut self, text: &'a str) {
        let (class, message) = header(text);
        self.ends_in_header = self.last;
        self.push(Section { class, message, ..Section::default() });
    }

    fn push(&mut self, section: Section<'a>) {
        if self.sections.len() < MAX_SECTIONS {
            self.current = self.sections.len();
            self.sections.push(section);
        }
    }

    fn finish(mut self) -> Root {
        // Behind Go's frames comes a line of its own only where the file that belongs to it was cut off. With its arguments
        // the function's name is whole.
        let cut = |section: &mut Section<'_>| section.class.is_none() && section.frames.is_empty();
        if self.go
            && let Some(function) = self.sections.pop_if(cut)
        {
            if self.sections.is_empty() {
                self.push(Section::default());
            }
            self.current = self.sections.len().saturating_sub(1);
            let name = function.message.rfind('(').and_then(|at| function.message.get(..at));
            let is_whole = |name: &&str| name.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            if let Some(found) = name.filter(is_whole).map(|name| frame::go(name, "")).filter(Frame::is_application) {
                self.keep(found, false);
            }
        }
        // The end of a text that was cut within a class.
        let cut_class = |section: &mut Section<'_>| {
            section.frames.is_empty()
                && match section.class {
                    Some(class) => {
                        section.message.is_empty() && !class.ends_with("Exception") && !class.ends_with("Error")
                    }
                    None => !section.message.contains(' '),
                }
        };
        if self.ends_in_header && self.sections.len() > 1 {
            _ = self.sections.pop_if(cut_class);
        }
        // From here on innermost first.
        if self.python {
            let is_bare = self.sections.iter().all(|section| section.frames.is_empty());
            for section in &mut self.sections {
                section.frames.reverse();
                section.frames.extend(section.installed.take().filter(|_| is_bare));
            }
        } else {
            self.sections.reverse();
        }
        let tells = |section: &Section<'_>| {
            section.class.map_or(!section.message.is_empty(), |class| !libraries::is_wrapper(class))
        };
        let root = self.sections.iter().position(tells).unwrap_or(0);
        let Some(section) = self.sections.get(root) else { return Root::default() };
        let mut frames: Vec<String> = Vec::with_capacity(MAX_FRAMES);
        let inner_first = self.sections.iter().skip(root).chain(self.sections.iter().take(root).rev());
        for (at, frame) in inner_first.flat_map(|section| section.frames.iter().enumerate()) {
            if frames.len() == MAX_FRAMES {
                break;
            }
            let name = frame.name();
            // Behind the first of a section none was kept that only carries; in Python it is the last by now.
            let was_asked = at > 0 && !self.python;
            let counts = frames.is_empty() || was_asked || !frame.only_carries();
            if counts && !name.is_empty() && !frames.contains(&name) {
                frames.push(name);
            }
        }
        if frames.is_empty() && !self.panicked.is_empty() && !path::is_library(self.panicked) {
            frames.push(path::short(self.panicked));
        }
        let class = section.class.or_else(|| self.sections.iter().find_map(|section| section.class));
        Root {
            class: class.map(frame::clean_class),
            message: (!section.message.is_empty()).then(|| section.message.to_owned()),
            frames,
        }
    }
}

/// Whether a line announces frames of Python, or the group of exceptions that they belong to.
fn is_traceback(text: &str) -> bool {
    behind(text, "+ Exception Group ").unwrap_or(text).starts_with("Traceback (most recent call last)")
}

/// Where the first two parts of a frame's name end, which tell whose it is: `org.springframework.`.
fn owner_end(frame: &str) -> Option<usize> {
    memchr::memchr_iter(b'.', frame.as_bytes()).nth(1).map(|at| at + 1)
}

/// Lines between frames that say nothing.
fn is_noise(text: &str) -> bool {
    const STARTS: [&str; 13] = [
        "+-+---",
        "... ",
        "--- End of stack trace",
        "goroutine ",
        "[signal ",
        "created by ",
        "The above exception was the direct cause",
        "During handling of the above exception",
        "note: ",
        "exit status ",
        "Stack trace:",
        "ClientConnectionId:",
        "Error Number:",
    ];
    STARTS.iter().any(|start| starts(text, start))
}

/// Splits `class: message`; a text that starts with no class is all message.
fn header(text: &str) -> (Option<&str>, &str) {
    let text = text.trim();
    let text = behind(text, "Unhandled exception. ").or_else(|| behind(text, "Uncaught ")).unwrap_or(text);
    let text = match behind(text, "Exception in thread \"").and_then(|rest| rest.split_once("\" ")) {
        Some((_, rest)) => rest,
        None => text,
    };
    // Elixir has the class in parentheses: `** (MatchError) no match of …`.
    if let Some((class, message)) = behind(text, "** (").and_then(|rest| split(rest, ") ")) {
        return (Some(class), message.trim());
    }
    // SAX tells the place in the document between the class and the text.
    if let Some((class, rest)) = split(text, "; lineNumber: ").filter(|(class, _)| is_class(class)) {
        let told = split(rest, "; columnNumber: ").and_then(|(_, rest)| split(rest, "; "));
        return (Some(class), told.map_or("", |(_, told)| told).trim());
    }
    let (head, message) = split(text, ": ").unwrap_or_else(|| (text.trim_end_matches(':'), ""));
    // .NET writes the system's code behind some classes: `SqlException (0x80131904)`, `SocketException (111)`.
    let head = match head.strip_suffix(')').and_then(|head| head.rsplit_once(" (")) {
        Some((class, code)) if !code.is_empty() && code.bytes().all(|b| b.is_ascii_hexdigit() || b == b'x') => class,
        _ => head,
    };
    if !is_class(head) {
        // A writer's own time before the class: `11/14/2026 13:54:04 +00:00: A.B: boom`.
        let is_time = head.len() >= 8 && head.bytes().all(|byte| byte.is_ascii_digit() || b"/-:.+ TZ".contains(&byte));
        // Or how many there were, of which the first one follows: `3 unhandled exceptions: A.B: boom`.
        let is_count = head.starts_with(|c: char| c.is_ascii_digit()) && head.ends_with(" unhandled exceptions");
        return if (is_time || is_count) && !message.is_empty() { header(message) } else { (None, text) };
    }
    // SQLAlchemy names the driver's exception that it wraps: `sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) …`.
    match message.trim().strip_prefix('(').and_then(|message| split(message, ") ")) {
        Some((inner, message)) if inner.contains('.') && is_class(inner) => (Some(inner), message.trim()),
        _ => (Some(head), without_place(message.trim())),
    }
}

/// A message without the file that PHP writes behind it: `no way in /var/www/app/A.php:7`.
fn without_place(message: &str) -> &str {
    if find(message, ".php").is_none() {
        return message;
    }
    match message.rsplit_once(" in /") {
        Some((told, place)) if path::without_position(place).is_some_and(|path| frame::has_extension(path, "php")) => {
            told
        }
        _ => message,
    }
}

/// A name as classes have: one word, with a package or an upper case letter, perhaps with a code in brackets (Node).
fn is_class(head: &str) -> bool {
    let name = match split(head, " [") {
        Some((name, code)) if code.ends_with(']') => name,
        _ => head,
    };
    // Scala numbers the classes that have no name of their own: `DecodingFailure$$anon$2`.
    let name = split(name, "$$anon$").map_or(name, |(name, _)| name);
    let last = libraries::short(name);
    !last.is_empty()
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| IN_CLASS[usize::from(byte)])
        && (last.starts_with(|c: char| c.is_ascii_uppercase())
            || last.ends_with("error")
            || last.ends_with("exception"))
}

/// What a class's name is made of.
const IN_CLASS: [bool; 256] = {
    let mut is_in = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        is_in[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b':' | b'\\' | b'`' | b'+');
        byte += 1;
    }
    is_in
};

#[cfg(test)]
mod tests;
