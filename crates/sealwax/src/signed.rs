//! Signed cookies: values that the client may read and not change.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use http::{Extensions, Request, Response};
use sealwax_django::session::CookieLife;
use sealwax_django::{BadSignature, Keys, SignedCookie};
use tower_layer::Layer;
use tower_service::Service;

use crate::attended::{Attended, Handle};
use crate::baked::Jar;
use crate::cookies;
use crate::settings::{Checked, LegacySalt, Mistakes, Settings};
use crate::world::World;

/// Gives every request its [`SignedCookies`].
///
/// ```
/// use sealwax::{Settings, SignedCookiesLayer};
/// # fn main() -> Result<(), sealwax::Mistakes> {
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.secret_key = "0aPq…".repeat(11).into();
/// let layer = SignedCookiesLayer::new(&settings)?;
/// # let _ = layer; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SignedCookiesLayer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    keys: Keys,
    checked: Arc<Checked>,
    world: World,
}

impl SignedCookiesLayer {
    /// The layer for `settings`.
    ///
    /// # Errors
    /// Every mistake in the settings; a `secret_key` that is missing or too short is one.
    pub fn new(settings: &Settings) -> Result<Self, Mistakes> {
        Self::with(settings.checked()?, World::default())
    }

    pub(crate) fn with(checked: Arc<Checked>, world: World) -> Result<Self, Mistakes> {
        Ok(Self {
            shared: Arc::new(Shared {
                keys: checked.keys(&world)?,
                checked,
                world,
            }),
        })
    }
}

impl<S> Layer<S> for SignedCookiesLayer {
    type Service = SignedCookiesService<S>;

    fn layer(&self, inner: S) -> SignedCookiesService<S> {
        SignedCookiesService {
            inner,
            shared: Arc::clone(&self.shared),
        }
    }
}

/// A service behind [`SignedCookiesLayer`].
///
/// ```
/// use sealwax::{Settings, SignedCookiesLayer, SignedCookiesService};
/// use tower_layer::Layer as _;
/// # fn wrap<App>(app: App) -> Result<(), sealwax::Mistakes> {
///
/// let mut settings = Settings::production(["app.example.com"]);
/// settings.secret_key = "0aPq…".repeat(11).into();
/// let service: SignedCookiesService<App> = SignedCookiesLayer::new(&settings)?.layer(app);
/// # let _ = service; Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct SignedCookiesService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S, A, B> Service<Request<A>> for SignedCookiesService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Attended<S::Future, SignedCookies>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let sent = request.headers().get_all(COOKIE).iter().cloned().collect();
        let cookies = SignedCookies {
            inner: Arc::new(Inner {
                shared: Arc::clone(&self.shared),
                sent,
                fields: Mutex::default(),
            }),
        };
        request.extensions_mut().insert(cookies.clone());
        Attended::new(self.inner.call(request), cookies)
    }
}

/// The signed cookies of one request: Django's `get_signed_cookie` and `set_signed_cookie`. With
/// the feature `axum` it is an extractor.
///
/// The client can read what is in them, and keep an old one: it is signed, not secret, and a
/// maximum age is all that ends it.
///
/// ```
/// use std::time::Duration;
/// use sealwax::SignedCookies;
///
/// const WEEK: Duration = Duration::from_secs(7 * 86_400);
///
/// fn remember(cookies: SignedCookies) {
///     if let Ok(Some(choice)) = cookies.get("plan", "", Some(WEEK)) {
///         println!("chose {choice} before");
///     }
///     cookies.set("plan", "", "basic", Some(WEEK));
/// }
/// ```
#[derive(Clone)]
pub struct SignedCookies {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// The Cookie fields; cloning them copies nothing.
    sent: Vec<HeaderValue>,
    fields: Mutex<Vec<HeaderValue>>,
}

impl SignedCookies {
    /// Those of `request`; `None` where no [`SignedCookiesLayer`] has seen it.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Option<Self> {
        Self::of_extensions(request.extensions())
    }

    pub(crate) fn of_extensions(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    /// The value that was signed, if at most `max_age` ago; `None` where no such cookie came.
    /// `salt` is Django's, usually empty; it keeps cookies of one name for different purposes
    /// apart.
    ///
    /// # Errors
    /// The signature is wrong or too old.
    pub fn get(
        &self,
        name: &str,
        salt: &str,
        max_age: Option<Duration>,
    ) -> Result<Option<String>, BadSignature> {
        let last = |field: &HeaderValue| {
            // Values past Latin-1 stand there as they are, ours or those of other cookies.
            let text = String::from_utf8_lossy(field.as_bytes());
            Some(sealwax_django::cookie::value(&text, name)?.into_owned())
        };
        let Some(value) = self.inner.sent.iter().filter_map(last).next_back() else {
            return Ok(None);
        };
        let now = self.inner.shared.world.now();
        let signed = self.signer(name, salt);
        signed
            .unsign(&value, max_age, now)
            .map(|value| Some(value.to_owned()))
    }

    /// Sets the cookie in the response, with the attributes of the session cookie and this
    /// lifetime; `None` ends it with the browser's session. False: no cookie can have that name.
    pub fn set(&self, name: &str, salt: &str, value: &str, lasts: Option<Duration>) -> bool {
        let now = self.inner.shared.world.now();
        let life = match lasts {
            None => CookieLife::Browser,
            Some(lasts) => {
                let seconds = i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX);
                CookieLife::lasting(seconds, now)
            }
        };
        let signed = self.signer(name, salt).sign(value, now);
        self.push(self.jar(name).set(&signed, &life))
    }

    /// Deletes the cookie in the response. False: no cookie can have that name.
    pub fn delete(&self, name: &str) -> bool {
        self.push(self.jar(name).delete())
    }

    fn signer(&self, name: &str, salt: &str) -> SignedCookie {
        let shared = &self.inner.shared;
        let legacy = match shared.checked.settings.signed_cookie_legacy_salt_fallback {
            LegacySalt::Off => sealwax_django::LegacySalt::Off,
            LegacySalt::Read => sealwax_django::LegacySalt::Read,
            LegacySalt::Write => sealwax_django::LegacySalt::Write,
        };
        SignedCookie::new(&shared.keys, name, salt, legacy)
    }

    fn jar(&self, name: &str) -> Jar {
        Jar::beside_session(&self.inner.shared.checked.settings, name)
    }

    fn push(&self, field: Option<HeaderValue>) -> bool {
        let set = field.is_some();
        self.fields().extend(field);
        set
    }

    fn fields(&self) -> MutexGuard<'_, Vec<HeaderValue>> {
        // Nothing can be left half changed, so a panic elsewhere is no reason to give up.
        self.inner
            .fields
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handle for SignedCookies {
    fn finish(&self, headers: &mut HeaderMap) {
        let mut fields = self.fields();
        if fields.is_empty() {
            return;
        }
        for field in fields.drain(..) {
            headers.append(SET_COOKIE, field);
        }
        cookies::vary(headers);
    }
}

impl fmt::Debug for SignedCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedCookies(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::{ServiceExt as _, service_fn};

    use super::*;

    async fn run(
        layer: &SignedCookiesLayer,
        cookie: &str,
        app: fn(SignedCookies),
    ) -> Option<String> {
        let service = service_fn(move |request: Request<()>| {
            app(SignedCookies::of(&request).unwrap());
            async { Ok::<_, Infallible>(Response::new(())) }
        });
        let request = Request::get("/").header(COOKIE, cookie).body(()).unwrap();
        let response = layer.layer(service).oneshot(request).await.unwrap();
        let field = response.headers().get(SET_COOKIE)?;
        Some(String::from_utf8(field.as_bytes().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_was_signed_comes_back_and_what_was_changed_does_not() {
        let layer = SignedCookiesLayer::new(&Settings::development()).unwrap();
        let set = |c: SignedCookies| {
            assert!(c.set("plan", "", "a; b", Some(Duration::from_secs(60))));
            assert!(!c.set("pl an", "", "x", None));
        };
        let field = run(&layer, "x=1", set).await.unwrap();
        assert!(
            field.contains("; HttpOnly; Max-Age=60; Path=/; SameSite=Lax"),
            "{field}"
        );
        let cookie = field.split("; expires").next().unwrap().to_owned();
        let get = |c: SignedCookies| {
            assert_eq!(c.get("plan", "", None), Ok(Some("a; b".to_owned())));
            assert_eq!(c.get("plan", "other", None), Err(BadSignature::Mismatch));
            assert_eq!(c.get("absent", "", None), Ok(None));
        };
        assert_eq!(run(&layer, &cookie, get).await, None);
        // Nor does it matter what else comes, or in which script.
        let set = |c: SignedCookies| assert!(c.set("plan", "", "it\u{2019}s \u{fc}", None));
        let wide = run(&layer, "", set).await.unwrap();
        let wide = format!(
            "x=\u{e9}\u{2019}; {}",
            wide.split("; HttpOnly").next().unwrap()
        );
        let get = |c: SignedCookies| {
            assert_eq!(
                c.get("plan", "", None),
                Ok(Some("it\u{2019}s \u{fc}".to_owned()))
            );
        };
        run(&layer, &wide, get).await;
        let changed = cookie.replace("a\\073", "c\\073");
        assert_ne!(changed, cookie);
        let get = |c: SignedCookies| assert!(c.get("plan", "", None).is_err());
        run(&layer, &changed, get).await;
        let delete = |c: SignedCookies| assert!(c.delete("plan"));
        assert!(run(&layer, "", delete).await.unwrap().contains("Max-Age=0"));
    }
}
