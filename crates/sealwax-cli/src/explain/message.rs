//! What the user describes on the command line, as a request and a response.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri, Version, request, response};

use crate::exit::Failure;

/// A request, the response to it, and how the request came in.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) request: request::Parts,
    pub(crate) response: response::Parts,
    pub(crate) url: String,
    /// Whether the client's connection is TLS.
    pub(crate) tls: bool,
    /// The host of the URL, without the port.
    pub(crate) host: String,
    /// The client's address.
    pub(crate) peer: IpAddr,
}

/// What the user wrote, word for word.
pub(crate) struct Words<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [String],
    pub(crate) status: u16,
    pub(crate) response_headers: &'a [String],
    pub(crate) peer: IpAddr,
}

impl Message {
    pub(crate) fn read(words: &Words<'_>) -> Result<Self, Failure> {
        let (uri, tls) = url(words.url)?;
        let host = uri.host().unwrap_or_default().to_owned();
        let mut headers = HeaderMap::new();
        let written = fields(words.headers, "-H")?;
        if !written.contains_key(header::HOST)
            && let Some(authority) = uri.authority()
        {
            let value = HeaderValue::from_str(authority.as_str())
                .map_err(|_| bad_url(words.url, "its host is no host"))?;
            headers.insert(header::HOST, value);
        }
        headers.extend(written);
        // The form in which a client asks a server (RFC 9112 §3.2.1).
        let asked = uri.path_and_query().map_or("/", |asked| asked.as_str());
        let mut request = Request::new(()).into_parts().0;
        request.method = method(words.method)?;
        request.uri = asked
            .parse()
            .map_err(|_| bad_url(words.url, "its path is no path"))?;
        request.version = Version::HTTP_11;
        request.headers = headers;
        let mut response = Response::new(()).into_parts().0;
        response.status = StatusCode::from_u16(words.status).map_err(|_| {
            Failure::usage(
                "--status",
                format!("{} is no status", words.status),
                "write one from 200 to 599",
            )
        })?;
        response.headers = fields(words.response_headers, "--response-header")?;
        Ok(Self {
            request,
            response,
            url: uri.to_string(),
            tls,
            host,
            peer: words.peer,
        })
    }
}

fn method(word: &str) -> Result<Method, Failure> {
    let method = Method::from_bytes(word.as_bytes()).map_err(|_| {
        Failure::usage(
            "METHOD",
            format!("`{}` is no method", word.escape_debug()),
            "write one such as GET or POST",
        )
    })?;
    // Methods are case-sensitive (RFC 9110 §9.1), and `get` is none.
    if word.bytes().any(|b| b.is_ascii_lowercase())
        && Method::from_bytes(word.to_ascii_uppercase().as_bytes()).is_ok()
    {
        return Err(Failure::usage(
            "METHOD",
            format!("`{word}` is not the name of a method: names are in capitals"),
            format!("write {}", word.to_ascii_uppercase()),
        ));
    }
    Ok(method)
}

fn url(word: &str) -> Result<(Uri, bool), Failure> {
    let uri: Uri = word.parse().map_err(|_| {
        bad_url(
            word,
            "it does not parse (spaces and non-ASCII must be %-encoded)",
        )
    })?;
    let tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        Some(_) => return Err(bad_url(word, "its scheme is neither http nor https")),
        None => return Err(bad_url(word, "it has no scheme")),
    };
    Ok((uri, tls))
}

fn bad_url(word: &str, why: &str) -> Failure {
    Failure::usage(
        "URL",
        format!(
            "`{}` is not a URL that can be explained: {why}",
            word.escape_debug()
        ),
        "write a whole one, such as https://localhost:8443/login",
    )
}

fn fields(words: &[String], flag: &str) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for word in words {
        let bad = |why: &str| {
            Failure::usage(
                flag,
                format!("`{}` is not a header: {why}", word.escape_debug()),
                format!("write {flag} 'Name: value'"),
            )
        };
        let (name, value) = word
            .split_once(':')
            .ok_or_else(|| bad("there is no colon"))?;
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad("its name has a character that names cannot have"))?;
        let value = HeaderValue::from_bytes(value.trim_matches([' ', '\t']).as_bytes())
            .map_err(|_| bad("its value has a control character"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, url: &str, headers: &[&str]) -> Result<Message, String> {
        let headers: Vec<String> = headers.iter().map(ToString::to_string).collect();
        let peer = IpAddr::from([203, 0, 113, 7]);
        let words = Words {
            method,
            url,
            headers: &headers,
            status: 200,
            response_headers: &[],
            peer,
        };
        Message::read(&words).map_err(|failure| failure.message().unwrap_or_default())
    }

    #[test]
    fn a_url_becomes_the_request_that_a_browser_sends() {
        let message = read("GET", "https://App.localhost:8443/a?b=c", &["X-A:  1 "]).unwrap();
        assert!(message.tls);
        assert_eq!(message.host, "App.localhost");
        assert_eq!(message.request.uri, "/a?b=c");
        assert_eq!(message.request.headers["host"], "App.localhost:8443");
        assert_eq!(message.request.headers["x-a"], "1");
        let plain = read("GET", "http://[::1]:8080", &["Host: evil.example"]).unwrap();
        assert!(!plain.tls);
        assert_eq!(plain.request.uri, "/");
        assert_eq!(plain.request.headers["host"], "evil.example");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_mend() {
        for (method, url, headers, expected) in [
            ("get", "https://a/", vec![], "write GET"),
            ("G T", "https://a/", vec![], "`G T` is no method"),
            (
                "GET",
                "a.example/x",
                vec![],
                "not a URL that can be explained",
            ),
            ("GET", "ftp://a/", vec![], "neither http nor https"),
            ("GET", "https://a/ b", vec![], "%-encoded"),
            ("GET", "https://a/", vec!["Cookie"], "there is no colon"),
            (
                "GET",
                "https://a/",
                vec!["Co okie: x"],
                "its name has a character",
            ),
            (
                "GET",
                "https://a/",
                vec!["Cookie: a\nb"],
                "a control character",
            ),
        ] {
            let message = read(method, url, &headers).unwrap_err();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("a\nb"), "{message}");
        }
    }
}
