//! Flash messages: told once, on the next page, in Django's cookie.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http::header::{HeaderMap, SET_COOKIE};
use http::{Extensions, Request, Response};
use sealwax_django::session::CookieLife;
use sealwax_django::{MESSAGES_COOKIE, Message, MessagesCookie};
use tower_layer::Layer;
use tower_service::Service;

use crate::attended::{Attended, Handle};
use crate::baked::Jar;
use crate::cookies;
use crate::settings::{Checked, Mistakes, Settings};
use crate::world::World;

/// Gives every request its [`Messages`], kept in the signed cookie `messages` as Django's
/// `CookieStorage` keeps them, so that what one side tells, the other shows. The cookie has the
/// attributes of the session cookie.
///
/// ```
/// use sealwax::{MessagesLayer, Settings};
/// # fn main() -> Result<(), sealwax::Mistakes> {
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.secret_key = "0aPq…".repeat(11).into();
/// let layer = MessagesLayer::new(&settings)?;
/// # let _ = layer; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct MessagesLayer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    format: MessagesCookie,
    cookie: Jar,
    world: World,
}

impl MessagesLayer {
    /// The layer for `settings`.
    ///
    /// # Errors
    /// Every mistake in the settings; a `secret_key` that is missing or too short is one.
    pub fn new(settings: &Settings) -> Result<Self, Mistakes> {
        Self::with(&*settings.checked()?, World::default())
    }

    pub(crate) fn with(checked: &Checked, world: World) -> Result<Self, Mistakes> {
        Ok(Self {
            shared: Arc::new(Shared {
                format: MessagesCookie::new(&checked.keys(&world)?),
                cookie: Jar::beside_session(&checked.settings, MESSAGES_COOKIE),
                world,
            }),
        })
    }
}

impl<S> Layer<S> for MessagesLayer {
    type Service = MessagesService<S>;

    fn layer(&self, inner: S) -> MessagesService<S> {
        MessagesService {
            inner,
            shared: Arc::clone(&self.shared),
        }
    }
}

/// A service behind [`MessagesLayer`].
///
/// ```
/// use sealwax::{MessagesLayer, MessagesService, Settings};
/// use tower_layer::Layer as _;
/// # fn wrap<App>(app: App) -> Result<(), sealwax::Mistakes> {
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.secret_key = "0aPq…".repeat(11).into();
/// let service: MessagesService<App> = MessagesLayer::new(&settings)?.layer(app);
/// # let _ = service; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct MessagesService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S, A, B> Service<Request<A>> for MessagesService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Attended<S::Future, Messages>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let messages = Messages::new(&self.shared, request.headers());
        request.extensions_mut().insert(messages.clone());
        Attended::new(self.inner.call(request), messages)
    }
}

/// The flash messages of one request: what was said before and not yet shown, and what is said
/// now. With the feature `axum` it is an extractor. Clones are the same messages.
///
/// ```
/// use sealwax::Messages;
///
/// fn saved(messages: Messages) {
///     messages.success("Saved.");
/// }
///
/// fn page(messages: Messages) -> String {
///     let mut page = String::new();
///     for message in messages.take() {
///         page += &format!("{}: {}\n", message.level_tag(), message.text);
///     }
///     page
/// }
/// ```
#[derive(Clone)]
pub struct Messages {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// The cookie as it was sent.
    sent: Option<Box<str>>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// From the cookie, once it was read.
    before: Option<Vec<Message>>,
    now: Vec<Message>,

    changed: bool,
}

impl Messages {
    fn new(shared: &Arc<Shared>, headers: &HeaderMap) -> Self {
        let sent = cookies::find(headers, MESSAGES_COOKIE).map(Into::into);
        Self {
            inner: Arc::new(Inner {
                shared: Arc::clone(shared),
                sent,
                told: Mutex::default(),
            }),
        }
    }

    /// Those of `request`; `None` where no [`MessagesLayer`] has seen it.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        Self::of_extensions(request.extensions())
    }

    pub(crate) fn of_extensions(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    /// Says something on the next page that [takes](Self::take) messages: Django's
    /// `messages.add_message`. One without text is none.
    pub fn add(&self, message: Message) {
        if message.text.is_empty() {
            return;
        }
        let mut told = self.told();
        told.changed = true;
        told.now.push(message);
    }

    /// Something worth knowing: level 20.
    pub fn info(&self, text: impl Into<String>) {
        self.add(Message::new(20, text));
    }

    /// Something that worked: level 25.
    pub fn success(&self, text: impl Into<String>) {
        self.add(Message::new(25, text));
    }

    /// Something to look out for: level 30.
    pub fn warning(&self, text: impl Into<String>) {
        self.add(Message::new(30, text));
    }

    /// Something that failed: level 40.
    pub fn error(&self, text: impl Into<String>) {
        self.add(Message::new(40, text));
    }

    /// All messages, the oldest first; none of them is told again: Django's `get_messages`. A
    /// cookie that is not signed with our keys holds none.
    #[must_use]
    pub fn take(&self) -> Vec<Message> {
        let mut told = self.told();
        self.read(&mut told);

        told.changed = true;
        let mut all = told.before.replace(Vec::new()).unwrap_or_default();
        all.append(&mut told.now);
        all
    }

    fn read(&self, told: &mut Told) {
        if told.before.is_some() {
            return;
        }
        let received = self.inner.sent.as_deref().map(|cookie| {
            let shared = &self.inner.shared;
            shared.format.read(cookie, shared.world.now())
        });
        told.before = Some(match received {
            Some(Ok(received)) => received.messages,
            Some(Err(error)) => {
                tracing::debug!(target: "sealwax", %error, "a cookie of messages is not ours");
                Vec::new()
            }
            None => Vec::new(),
        });
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        // Nothing can be left half changed, so a panic elsewhere is no reason to give up.
        self.inner
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handle for Messages {
    fn finish(&self, headers: &mut HeaderMap) {
        let mut told = self.told();
        if !told.changed {
            return;
        }
        self.read(&mut told);
        let shared = &self.inner.shared;
        let mut all = told.before.take().unwrap_or_default();
        all.append(&mut told.now);
        let stored = shared.format.store(&all, shared.world.now());
        if stored.left_out > 0 {
            let left_out = stored.left_out;
            tracing::warn!(target: "sealwax", left_out, "messages found no room in their cookie, and the oldest are lost; show them, or say less");
        }
        let field = match stored.cookie {
            Some(value) => shared.cookie.set(&value, &CookieLife::Browser),
            None if self.inner.sent.is_some() => shared.cookie.delete(),
            None => None,
        };
        if let Some(field) = field {
            headers.append(SET_COOKIE, field);
        }
        cookies::vary(headers);
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Messages(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::header::COOKIE;
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    async fn run(layer: &MessagesLayer, cookie: Option<&str>, app: fn(Messages)) -> Option<String> {
        let service = service_fn(move |request: Request<()>| {
            app(Messages::of(&request).unwrap());
            async { Ok::<_, Infallible>(Response::new(())) }
        });
        let mut request = Request::get("/");
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, format!("messages={cookie}"));
        }
        let service = layer.layer(service);
        let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
        let field = response.headers().get(SET_COOKIE)?;
        let value = field.to_str().unwrap().strip_prefix("messages=").unwrap();
        Some(value.split(';').next().unwrap().to_owned())
    }

    #[tokio::test]
    async fn what_is_said_is_told_once() {
        let layer = MessagesLayer::new(&Settings::development()).unwrap();
        let first = run(&layer, None, |m| m.success("Saved.")).await.unwrap();
        // Nobody showed it, and more is said.
        let both = run(&layer, Some(&first), |m| m.error("Or not.")).await;
        let both = both.unwrap();
        assert_eq!(run(&layer, Some(&both), drop).await, None);
        let show = |messages: Messages| {
            let texts: Vec<_> = messages.take().into_iter().map(|m| m.text).collect();
            assert_eq!(texts, ["Saved.", "Or not."]);
            assert!(messages.take().is_empty());
        };
        assert_eq!(
            run(&layer, Some(&both), show).await.as_deref(),
            Some("\"\"")
        );
        // What another key signed is nothing.
        let mut settings = Settings::development();
        settings.secret_key = "another".into();
        let other = MessagesLayer::new(&settings).unwrap();
        let show = |messages: Messages| assert!(messages.take().is_empty());
        assert_eq!(
            run(&other, Some(&both), show).await.as_deref(),
            Some("\"\"")
        );
        assert_eq!(run(&other, None, show).await, None);
    }
}
