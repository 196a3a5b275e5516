//! Source files in frames: where the position ends, whose code it is, and a name that is the same on every machine.

/// The path of `x.js:1:2`, `x.rb:12`, `file:///app/x.mjs:1:2`; `None` where no line number ends it.
pub(super) fn without_position(place: &str) -> Option<&str> {
    let (path, line) = place.rsplit_once(':')?;
    if line.is_empty() || !line.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match path.rsplit_once(':') {
        Some((path, line)) if !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit()) => Some(path),
        _ => Some(path),
    }
    .filter(|path| !path.is_empty())
}

/// Where libraries and runtimes lie.
pub(super) fn is_library(path: &str) -> bool {
    const PLACES: [&str; 20] = [
        "node_modules",
        "site-packages",
        "dist-packages",
        "/lib/python",
        // Layers of AWS Lambda.
        "/opt/python/",
        "/var/runtime/",
        "/var/lang/",
        "/botocore/",
        "/boto3/",
        "\\Lib\\",
        "/gems/",
        "/lib/ruby/",
        "/rubies/",
        "/pkg/mod/",
        "/usr/local/go/",
        "/vendor/",
        "/rustc/",
        "/.cargo/",
        "node:",
        "webpack/bootstrap",
    ];
    path.starts_with(['<', '['])
        || path.starts_with("internal/")
        || path.starts_with("/usr/lib")
        || path.split("@v").skip(1).any(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        || PLACES.iter().any(|place| path.contains(place))
        // What Cython has compiled.
        || super::frame::has_extension(path, "pyx")
        // Node's own modules had no folder in older versions: `events.js`.
        || (has_script_extension(path) && !path.contains(['/', '\\']))
}

/// The package of an installed Python file: `shop` of `/venv/lib/python3.12/site-packages/shop/tasks.py`. A function of AWS
/// Lambda has its libraries beside its own files.
pub(super) fn installed(path: &str) -> Option<&str> {
    let places = ["/site-packages/", "/dist-packages/", "/var/task/"];
    let (_, rest) = places.iter().find_map(|place| path.split_once(place))?;
    rest.split_once('/').map(|(package, _)| package)
}

fn has_script_extension(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, end)| matches!(end, "js" | "cjs" | "mjs"))
}

/// Folders that are about the machine or the build, not about the code.
const PLAIN_FOLDERS: [&str; 26] = [
    "app",
    "src",
    "lib",
    "dist",
    "build",
    "out",
    "code",
    "srv",
    "home",
    "opt",
    "usr",
    "workspace",
    "workdir",
    "tmp",
    "task",
    "function",
    "bundle",
    "current",
    "release",
    "releases",
    "main",
    "root",
    "var",
    "service",
    ".",
    "..",
];

/// Folders whose children are machines', users' or releases' names.
const NAMED_FOLDERS: [&str; 8] = ["home", "Users", "users", "opt", "srv", "mnt", "releases", "www"];

/// The file without its extension, after the folder that holds it, where that belongs to the code.
pub(super) fn short(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let path = path.split_once("://").map_or(path, |(_, path)| path);
    let mut parts = path.rsplit(['/', '\\']);
    let file = parts.next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    // Bundlers put a hash into the name: `main.4f3a9c1b`.
    let stem = match stem.rsplit_once('.') {
        Some((name, hash)) if hash.len() >= 6 && hash.bytes().any(|b| b.is_ascii_digit()) => name,
        _ => stem,
    };
    let folder = parts.next().unwrap_or_default();
    let above = parts.next().unwrap_or_default();
    let of_code = !folder.is_empty()
        && !PLAIN_FOLDERS.contains(&folder)
        && !NAMED_FOLDERS.contains(&above)
        && !folder.ends_with(':')
        && !folder.bytes().any(|b| b.is_ascii_digit());
    if of_code { format!("{folder}/{stem}") } else { stem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_on_every_machine() {
        for path in [
            "/app/orders/handlers.py",
            "/srv/shop/releases/20260302101112/orders/handlers.py",
            "C:\\agent\\work\\orders\\handlers.py",
            "file:///app/orders/handlers.mjs",
            "webpack://shop/./src/orders/handlers.js",
            "orders/handlers.4f3a9c1b.js",
        ] {
            assert_eq!(short(path), "orders/handlers", "{path}");
        }
        for path in ["/app/main.py", "/home/alice/main.py", "/opt/worker-a/main.py", "main.py", "/srv/app-17/main.py"] {
            assert_eq!(short(path), "main", "{path}");
        }
    }

    #[test]
    fn a_position_ends_a_place() {
        assert_eq!(without_position("/app/x.js:1:2"), Some("/app/x.js"));
        assert_eq!(without_position("C:\\x.js:1"), Some("C:\\x.js"));
        assert_eq!(without_position("native"), None);
        assert_eq!(without_position(":1:2"), None);
    }
}
