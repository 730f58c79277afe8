//! `/dashboard`: the page and its files. They hold no figures, so whoever asks may have them.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_NONE_MATCH, LOCATION};
use http::{Method, Request, Response, StatusCode};
use sha2::{Digest, Sha256};
use shared::domain::key::hex;
use shared::http::{Body, set};

/// Nothing from anywhere else, and no script or style that stands in the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The chart library, which is shipped beside the program and not part of it. The page does without.
const LIBRARY: [(&str, &str); 3] = [
    ("uPlot.iife.min.js", "text/javascript; charset=utf-8"),
    ("uPlot.min.css", "text/css; charset=utf-8"),
    ("uPlot.LICENSE.txt", "text/plain; charset=utf-8"),
];

macro_rules! own {
    ($($name:literal: $kind:literal),* $(,)?) => {
        [$(($name, $kind, include_bytes!(concat!("../dashboard/", $name)).as_slice())),*]
    };
}

/// The files of the dashboard, each under the last part of its path.
pub struct Files(Vec<File>);

struct File {
    name: &'static str,
    kind: &'static str,
    bytes: Bytes,
    tag: String,
}

impl File {
    fn new(name: &'static str, kind: &'static str, bytes: Bytes) -> Self {
        let tag = format!("\"{}\"", &hex(&Sha256::digest(&bytes))[..16]);
        File { name, kind, bytes, tag }
    }
}

impl Files {
    /// The page, and what there is of the chart library in `library`.
    pub fn load(library: Option<&Path>) -> Self {
        let own = own! {
            "index.html": "text/html; charset=utf-8",
            "style.css": "text/css; charset=utf-8",
            "app.js": "text/javascript; charset=utf-8",
            "api.js": "text/javascript; charset=utf-8",
            "charts.js": "text/javascript; charset=utf-8",
            "dom.js": "text/javascript; charset=utf-8",
            "forms.js": "text/javascript; charset=utf-8",
            "format.js": "text/javascript; charset=utf-8",
            "sections.js": "text/javascript; charset=utf-8",
            "icon.svg": "image/svg+xml",
        };
        let mut files: Vec<File> = own
            .into_iter()
            .map(|(name, kind, bytes)| File::new(name, kind, Bytes::from_static(bytes)))
            .collect();
        let found = LIBRARY.iter().filter_map(|(name, kind)| {
            let bytes = fs::read(library?.join(name)).ok()?;
            Some(File::new(name, kind, Bytes::from(bytes)))
        });
        files.extend(found);
        Files(files)
    }

    /// Whether the charts can be drawn.
    pub fn has_library(&self) -> bool {
        LIBRARY.iter().all(|(name, _)| self.0.iter().any(|file| file.name == *name))
    }

    /// Answers `/dashboard` and what lies under it; none where nothing does.
    pub(crate) fn respond<B>(&self, request: &Request<B>, id: &str) -> Option<Response<Body>> {
        let rest = request.uri().path().strip_prefix("/dashboard")?;
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        if rest == "/" {
            // Relative, since a stage of API Gateway puts its name before the path.
            return Some(moved("../dashboard", id));
        }
        let name = if rest.is_empty() { "index.html" } else { rest.strip_prefix('/')? };
        let file = self.0.iter().find(|file| file.name == name)?;
        let is_known = request.headers().get(IF_NONE_MATCH).is_some_and(|tag| tag == file.tag.as_str());
        let mut response = match is_known {
            true => Response::new(Body::whole(Bytes::new())),
            false => Response::new(Body::whole(file.bytes.clone())),
        };
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        set(headers, CONTENT_TYPE, file.kind);
        set(headers, ETAG, &file.tag);
        // Each is asked for again, and answered with a word: no file is ever older than its page.
        set(headers, CACHE_CONTROL, "no-cache");
        guard(headers, id);
        Some(response)
    }
}

fn moved(to: &str, id: &str) -> Response<Body> {
    let mut response = Response::new(Body::whole(Bytes::new()));
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    set(response.headers_mut(), LOCATION, to);
    guard(response.headers_mut(), id);
    response
}

fn guard(headers: &mut HeaderMap, id: &str) {
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
        ("x-request-id", id),
    ] {
        set(headers, HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(files: &Files, path: &str, tag: Option<&str>) -> Option<Response<Body>> {
        let mut request = Request::get(path);
        if let Some(tag) = tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        files.respond(&request.body(()).expect("a request"), "an-id")
    }

    #[test]
    fn every_file_has_its_type_and_the_policy() {
        let files = Files::load(None);
        for (path, kind) in [
            ("/dashboard", "text/html"),
            ("/dashboard/app.js", "text/javascript"),
            ("/dashboard/style.css", "text/css"),
        ] {
            let response = get(&files, path, None).expect("a file");
            assert_eq!(response.status(), 200, "{path}");
            assert!(response.headers()[CONTENT_TYPE].to_str().expect("ASCII").starts_with(kind), "{path}");
            assert!(!POLICY.contains("unsafe"));
            assert_eq!(response.headers()["content-security-policy"], POLICY, "{path}");
        }
    }

    #[test]
    fn a_file_that_is_known_is_not_sent_again() {
        let files = Files::load(None);
        let tag = get(&files, "/dashboard/app.js", None).expect("a file").headers()[ETAG].clone();
        let again = get(&files, "/dashboard/app.js", tag.to_str().ok()).expect("a file");
        assert_eq!(again.status(), 304);
        assert_eq!(get(&files, "/dashboard/app.js", Some("\"other\"")).expect("a file").status(), 200);
    }

    #[test]
    fn nothing_else_is_there() {
        let files = Files::load(Some(Path::new("/nowhere")));
        assert!(!files.has_library());
        for path in ["/dashboard/../Cargo.toml", "/dashboard/uPlot.min.css", "/dashboards", "/dashboard/a/b"]
        {
            assert!(get(&files, path, None).is_none(), "{path}");
        }
        assert_eq!(get(&files, "/dashboard/", None).expect("moved").headers()[LOCATION], "../dashboard");
    }

    #[test]
    fn the_page_holds_no_script_and_no_style() {
        let page = include_str!("../dashboard/index.html");
        for inline in ["<style", " style=", "javascript:", " onclick", " onload"] {
            assert!(!page.contains(inline), "{inline}");
        }
        assert!(page.matches("<script").all(|_| true) && !page.contains("<script>"));
    }
}
