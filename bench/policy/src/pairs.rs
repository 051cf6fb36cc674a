//! The heads that are judged, as they stand on the wire.

/// A request head and the response head to it.
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    pub(crate) request: Vec<u8>,
    pub(crate) response: Vec<u8>,
}

const SESSION: &str = "k3p1x0q8v7m2z9r4t6y5w1n0b8c3d7f2";
const TOKEN: &str = "Zt5Xw2Qm9Lr7Bn4Vc1Kd8Hs6Gf3Jp0Ya";

/// Both pairs.
pub(crate) fn all() -> [Pair; 2] {
    [bench(), browser()]
}

/// What the load generators send, and what the upstream of `bench/run` answers.
pub(crate) fn bench() -> Pair {
    pair(
        "bench",
        "GET / HTTP/1.1",
        &[
            "host: localhost:8443",
            "user-agent: h2load nghttp2/1.52.0",
            &format!("cookie: __Host-sessionid={SESSION}; __Host-csrftoken={TOKEN}"),
        ],
        &[
            "server: nginx/1.22.1",
            "date: Mon, 23 Nov 2026 09:00:00 GMT",
            "content-type: text/plain",
            "content-length: 1024",
            "last-modified: Mon, 23 Nov 2026 08:00:00 GMT",
            "etag: \"6b2f3c10-400\"",
            &format!("set-cookie: sessionid={SESSION}; HttpOnly; Path=/"),
            &format!("set-cookie: csrftoken={TOKEN}; Path=/"),
            "accept-ranges: bytes",
        ],
    )
}

/// A page of Django's admin as Chromium asks for it, with an analytics and a theme cookie.
pub(crate) fn browser() -> Pair {
    pair(
        "browser",
        "GET /admin/polls/question/?q=what&p=2 HTTP/1.1",
        &[
            "host: localhost:8443",
            "sec-ch-ua: \"Chromium\";v=\"150\", \"Not)A;Brand\";v=\"99\"",
            "sec-ch-ua-mobile: ?0",
            "sec-ch-ua-platform: \"Linux\"",
            "upgrade-insecure-requests: 1",
            "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/150.0.0.0 Safari/537.36",
            "accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
             image/apng,*/*;q=0.8",
            "sec-fetch-site: same-origin",
            "sec-fetch-mode: navigate",
            "sec-fetch-user: ?1",
            "sec-fetch-dest: document",
            "referer: https://localhost:8443/admin/polls/",
            "accept-encoding: gzip, deflate, br, zstd",
            "accept-language: en-GB,en;q=0.9",
            &format!(
                "cookie: _ga=GA1.1.1482301457.1763888000; theme=dark; __Host-csrftoken={TOKEN}; \
                 __Host-sessionid={SESSION}"
            ),
            "priority: u=0, i",
        ],
        &[
            "server: gunicorn",
            "date: Mon, 23 Nov 2026 09:00:00 GMT",
            "content-type: text/html; charset=utf-8",
            "expires: Mon, 23 Nov 2026 09:00:00 GMT",
            "cache-control: max-age=0, no-cache, no-store, must-revalidate, private",
            "vary: Cookie, Accept-Language",
            "x-frame-options: DENY",
            "content-length: 6143",
            "content-language: en-gb",
            "x-content-type-options: nosniff",
            "referrer-policy: same-origin",
            "cross-origin-opener-policy: same-origin",
            &format!(
                "set-cookie: csrftoken={TOKEN}; expires=Mon, 22 Nov 2027 09:00:00 GMT; \
                 Max-Age=31449600; Path=/; SameSite=Lax"
            ),
            &format!(
                "set-cookie: sessionid={SESSION}; expires=Mon, 07 Dec 2026 09:00:00 GMT; \
                 HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax"
            ),
        ],
    )
}

fn pair(name: &'static str, line: &str, request: &[&str], response: &[&str]) -> Pair {
    let head = |line: &str, fields: &[&str]| {
        format!("{line}\r\n{}\r\n\r\n", fields.join("\r\n")).into_bytes()
    };
    Pair {
        name,
        request: head(line, request),
        response: head("HTTP/1.1 200 ", response),
    }
}
