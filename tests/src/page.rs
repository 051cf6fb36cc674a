//! One page: go somewhere, look, type, click.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

use crate::browser::{Connection, Event, SetCookieSeen};

/// A page of the browser.
pub struct Page {
    connection: Arc<Connection>,
    session: String,
}

impl Page {
    pub(crate) async fn new(connection: Arc<Connection>, session: String) -> Self {
        let page = Self {
            connection,
            session,
        };
        for domain in ["Page", "Runtime", "Network", "Security"] {
            page.call(&format!("{domain}.enable"), json!({})).await;
        }
        page
    }

    /// Goes to `url`, waits until it has loaded and answers the document's status.
    ///
    /// # Panics
    /// When the page cannot be reached.
    pub async fn goto(&self, url: &str) -> u16 {
        self.try_goto(url)
            .await
            .unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    /// Goes to `url`, or answers Chromium's error (such as `net::ERR_CERT_AUTHORITY_INVALID`).
    ///
    /// # Errors
    /// Chromium's text when there is no document.
    pub async fn try_goto(&self, url: &str) -> Result<u16, String> {
        let mark = self.connection.mark();
        let answer = self.call("Page.navigate", json!({"url": url})).await;
        if let Some(error) = answer["errorText"].as_str() {
            return Err(error.to_owned());
        }
        // Only this navigation counts: the one before may still be sending its events.
        Ok(self.loaded(mark, answer["loaderId"].as_str()).await)
    }

    /// Runs `act` and waits for the navigation that it causes; answers the new document's
    /// status.
    pub async fn navigating(&self, act: impl Future<Output = ()>) -> u16 {
        let mark = self.connection.mark();
        act.await;
        self.loaded(mark, None).await
    }

    /// Loads the page again, as a person does by F5.
    pub async fn reload(&self) {
        self.call("Page.reload", json!({})).await;
    }

    /// Evaluates an expression (a promise is awaited) and answers its value.
    ///
    /// # Panics
    /// When it throws.
    pub async fn eval(&self, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true});
        let answer = self.call("Runtime.evaluate", params).await;
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{expression}: {}",
            answer["exceptionDetails"]
        );
        answer["result"]["value"].clone()
    }

    /// Starts an expression and does not wait for it, such as one that leaves the page.
    pub async fn start(&self, expression: &str) {
        let params = json!({"expression": format!("setTimeout(() => {{ {expression} }}, 0)"), "userGesture": true});
        self.call("Runtime.evaluate", params).await;
    }

    /// The text of the first element that matches `selector`.
    pub async fn text(&self, selector: &str) -> String {
        let value = self
            .eval(&format!(
                "(document.querySelector({selector:?}) || {{innerText: null}}).innerText"
            ))
            .await;
        value
            .as_str()
            .unwrap_or_else(|| panic!("no {selector} in the page"))
            .trim()
            .to_owned()
    }

    /// The text of the whole page.
    pub async fn body(&self) -> String {
        self.eval("document.body.innerText")
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// What scripts see in `document.cookie`.
    pub async fn document_cookie(&self) -> String {
        self.eval("document.cookie")
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Puts text into a field, as typing does.
    pub async fn fill(&self, selector: &str, text: &str) {
        let focused = self.eval(&format!("(() => {{ const e = document.querySelector({selector:?}); if (e) {{ e.focus(); e.select?.(); }} return !!e; }})()")).await;
        assert_eq!(focused, Value::Bool(true), "no field {selector}");
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// Clicks an element with the mouse and waits for the page that follows; answers that
    /// document's status.
    pub async fn click_through(&self, selector: &str) -> u16 {
        self.navigating(self.click(selector)).await
    }

    /// Clicks an element with the mouse.
    pub async fn click(&self, selector: &str) {
        let place = self
            .eval(&format!(
                "(() => {{ const e = document.querySelector({selector:?}); if (!e) return null; e.scrollIntoView({{block: 'center'}}); \
                 const r = e.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; }})()"
            ))
            .await;
        assert!(place.is_array(), "no element {selector}");
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            // The page may leave before the answer comes.
            self.connection
                .try_call(Some(&self.session), "Input.dispatchMouseEvent", params)
                .await;
        }
    }

    /// Chromium's word on the connection: `secure`, `insecure`, `neutral`, …
    pub async fn security_state(&self) -> String {
        // Enabling the domain anew makes Chromium say the state of the page as it is now.
        let mark = self.connection.mark();
        self.call("Security.disable", json!({})).await;
        self.call("Security.enable", json!({})).await;
        self.connection
            .wait(&self.session, mark, "a security state", |events| {
                let last = events
                    .iter()
                    .rfind(|event| event.method == "Security.visibleSecurityStateChanged")?;
                last.params["visibleSecurityState"]["securityState"]
                    .as_str()
                    .map(str::to_owned)
            })
            .await
    }

    /// What Chromium knows of the connection: protocol, key exchange, cipher, issuer.
    pub async fn certificate(&self) -> Value {
        let mark = self.connection.mark();
        self.call("Security.disable", json!({})).await;
        self.call("Security.enable", json!({})).await;
        self.connection
            .wait(&self.session, mark, "a certificate", |events| {
                let last = events
                    .iter()
                    .rfind(|event| event.method == "Security.visibleSecurityStateChanged")?;
                Some(last.params["visibleSecurityState"]["certificateSecurityState"].clone())
            })
            .await
    }

    /// Writes a picture of the page (PNG).
    pub async fn screenshot(&self, path: &Path) {
        let answer = self
            .call("Page.captureScreenshot", json!({"format": "png"}))
            .await;
        let data = answer["data"].as_str().expect("a picture");
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(data)
            .expect("base64");
        std::fs::write(path, bytes).expect("a picture on disk");
    }

    /// Every Set-Cookie field of every response of this page, with Chromium's verdict.
    #[must_use]
    pub fn set_cookies(&self) -> Vec<SetCookieSeen> {
        let events = self.connection.events(&self.session, 0);
        let mut seen = Vec::new();
        for event in events
            .iter()
            .filter(|event| event.method == "Network.responseReceivedExtraInfo")
        {
            let url = url_of(
                &events,
                event.params["requestId"].as_str().unwrap_or_default(),
            );
            let blocked = event.params["blockedCookies"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            for (name, value) in event.params["headers"].as_object().into_iter().flatten() {
                if !name.eq_ignore_ascii_case("set-cookie") {
                    continue;
                }
                // DevTools joins several fields with line feeds.
                for field in value.as_str().unwrap_or_default().split('\n') {
                    let blocked = blocked
                        .iter()
                        .filter(|entry| entry["cookieLine"].as_str() == Some(field))
                        .flat_map(|entry| {
                            entry["blockedReasons"]
                                .as_array()
                                .cloned()
                                .unwrap_or_default()
                        })
                        .filter_map(|reason| reason.as_str().map(str::to_owned))
                        .collect();
                    seen.push(SetCookieSeen {
                        url: url.clone(),
                        field: field.to_owned(),
                        blocked,
                    });
                }
            }
        }
        seen
    }

    /// What the page wrote to its console, and its uncaught exceptions.
    #[must_use]
    pub fn console(&self) -> Vec<String> {
        let events = self.connection.events(&self.session, 0);
        events
            .iter()
            .filter_map(|event| match event.method.as_str() {
                "Runtime.consoleAPICalled" => {
                    let arguments = event.params["args"].as_array().cloned().unwrap_or_default();
                    Some(
                        arguments
                            .iter()
                            .map(|argument| argument["value"].to_string())
                            .collect::<Vec<_>>()
                            .join(" "),
                    )
                }
                "Runtime.exceptionThrown" => Some(event.params["exceptionDetails"].to_string()),
                _ => None,
            })
            .collect()
    }

    /// Evaluates an expression until it is true, whatever pages come and go meanwhile.
    ///
    /// # Panics
    /// When it is not within 20 seconds; the message says where the page is.
    pub async fn wait_for(&self, expression: &str) {
        self.wait_for_up_to(20, expression).await;
    }

    /// The same, for what takes longer.
    ///
    /// # Panics
    /// When it is not within so many seconds.
    pub async fn wait_for_up_to(&self, seconds: u64, expression: &str) {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        loop {
            let params = json!({"expression": format!("!!({expression})"), "returnByValue": true});
            let session = Some(self.session.as_str());
            let answer = self
                .connection
                .try_call(session, "Runtime.evaluate", params)
                .await;
            if answer["result"]["result"]["value"] == true {
                return;
            }
            if Instant::now() > deadline {
                let place = self.eval("location.href + '\\n' + document.body.innerText");
                panic!("not within {seconds} s: {expression}; at {}", place.await);
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// Deletes one cookie of a URL's host, as its Max-Age would.
    pub async fn delete_cookie(&self, name: &str, url: &str) {
        self.call("Network.deleteCookies", json!({"name": name, "url": url}))
            .await;
    }

    /// How many events came so far: where [`Self::bound_events`] begins.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.connection.mark()
    }

    /// What Chromium did with sessions that are bound to the device since `mark`
    /// (`Network.deviceBoundSessionEventOccurred`). They may come 200 ms after the traffic.
    #[must_use]
    pub fn bound_events(&self, mark: usize) -> Vec<Value> {
        let events = self.connection.events(&self.session, mark);
        bound(&events).cloned().collect()
    }

    /// Waits for such an event.
    ///
    /// # Panics
    /// When it does not come within 25 seconds.
    pub async fn wait_bound_event(
        &self,
        mark: usize,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        self.connection
            .wait(&self.session, mark, what, |events| {
                bound(events).find(|event| wanted(event)).cloned()
            })
            .await
    }

    pub(crate) async fn note_bound_sessions(&self) {
        self.call("Network.enableDeviceBoundSessions", json!({"enable": true}))
            .await;
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        self.connection
            .call(Some(&self.session), method, params)
            .await
    }

    /// Waits for the load event of a navigation since `mark`, or of the one named.
    async fn loaded(&self, mark: usize, loader: Option<&str>) -> u16 {
        self.connection
            .wait(&self.session, mark, "a loaded page", |events| {
                // The main frame's navigation comes before its load event.
                let navigated = events.iter().rposition(|event| {
                    let frame = &event.params["frame"];
                    event.method == "Page.frameNavigated"
                        && frame.get("parentId").is_none()
                        && loader.is_none_or(|loader| frame["loaderId"] == loader)
                })?;
                let loader = &events[navigated].params["frame"]["loaderId"];
                events[navigated..]
                    .iter()
                    .find(|event| event.method == "Page.loadEventFired")?;
                let response = events.iter().rfind(|event| {
                    event.method == "Network.responseReceived"
                        && event.params["loaderId"] == *loader
                        && event.params["type"] == "Document"
                })?;
                u16::try_from(response.params["response"]["status"].as_u64()?).ok()
            })
            .await
    }
}

fn bound(events: &[Event]) -> impl Iterator<Item = &Value> {
    events
        .iter()
        .filter(|event| event.method == "Network.deviceBoundSessionEventOccurred")
        .map(|event| &event.params)
}

fn url_of(events: &[Event], request: &str) -> String {
    events
        .iter()
        .rfind(|event| {
            event.method == "Network.requestWillBeSent" && event.params["requestId"] == request
        })
        .and_then(|event| event.params["request"]["url"].as_str())
        .unwrap_or_default()
        .to_owned()
}
