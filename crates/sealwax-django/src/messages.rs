//! Flash messages in a cookie: `django.contrib.messages.storage.cookie.CookieStorage`.

use std::time::Duration;

use serde_json::Value;

use crate::error::LoadError;
use crate::json;
use crate::key::Keys;
use crate::object;
use crate::signer::TimestampSigner;

/// The name of the cookie.
pub const MESSAGES_COOKIE: &str = "messages";

/// The most characters of the cookie's value: `max_cookie_size`.
pub const MESSAGES_LIMIT: usize = 2048;

/// What marks a message in JSON, in the first place of an array.
const MARK: &str = "__json_message";
/// What stands last where not all messages had found room.
const NOT_FINISHED: &str = "__messagesnotfinished__";

/// One message for the user: Django's `Message`.
///
/// ```
/// use sealwax_django::Message;
///
/// let message = Message { extra_tags: Some("toast".into()), ..Message::new(25, "Saved.") };
/// assert_eq!(message.level_tag(), "success");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How grave it is: 10 debug, 20 info, 25 success, 30 warning, 40 error, or one of one's own.
    pub level: i64,
    /// The text.
    pub text: String,
    /// Further classes for the page, separated by spaces.
    pub extra_tags: Option<String>,
    /// Whether the text is HTML that needs no escaping: `mark_safe`. The signature vouches that it
    /// was the app who said so.
    pub safe: bool,
}

impl Message {
    /// A plain text.
    #[must_use]
    pub fn new(level: i64, text: impl Into<String>) -> Self {
        Self {
            level,
            text: text.into(),
            extra_tags: None,
            safe: false,
        }
    }

    /// The name of Django's level, for the page: `info`; empty for another number.
    #[must_use]
    pub fn level_tag(&self) -> &'static str {
        match self.level {
            10 => "debug",
            20 => "info",
            25 => "success",
            30 => "warning",
            40 => "error",
            _ => "",
        }
    }

    fn to_json(&self) -> String {
        let mut json = format!(
            "[\"{MARK}\",{},{},{}",
            u8::from(self.safe),
            self.level,
            json::escape(&self.text)
        );
        if let Some(tags) = &self.extra_tags {
            json.push(',');
            json.push_str(&json::escape(tags));
        }
        json.push(']');
        json
    }

    fn of(value: &Value) -> Option<Self> {
        let [mark, safe, level, text, rest @ ..] = value.as_array()?.as_slice() else {
            return None;
        };
        if mark != MARK {
            return None;
        }
        Some(Self {
            level: level.as_i64()?,
            text: text.as_str()?.to_owned(),
            extra_tags: match rest {
                [] | [Value::Null] => None,
                [tags] => Some(tags.as_str()?.to_owned()),
                _ => return None,
            },
            safe: match safe {
                Value::Bool(safe) => *safe,
                number => number.as_i64()? != 0,
            },
        })
    }
}

/// What a cookie held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether these are all. If not, others had found no room in the cookie; Django's
    /// `FallbackStorage` keeps them in the session under `_messages`.
    pub all: bool,
}

/// What a cookie is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The cookie's value; `None` deletes the cookie.
    pub cookie: Option<String>,
    /// How many of the oldest messages found no room.
    pub left_out: usize,
}

/// Reads and writes the cookie `messages`.
///
/// ```
/// use std::time::Duration;
/// use sealwax_django::{Keys, Message, MessagesCookie, SecretKey};
///
/// let messages = MessagesCookie::new(&Keys::new(SecretKey::new("secret").unwrap()));
/// let now = Duration::from_secs(1_764_000_000);
/// let stored = messages.store(&[Message::new(25, "Saved.")], now);
/// let received = messages.read(&stored.cookie.unwrap(), now).unwrap();
/// assert_eq!(received.messages[0].text, "Saved.");
/// assert!(received.all);
/// ```
#[derive(Debug, Clone)]
pub struct MessagesCookie {
    signer: TimestampSigner,
}

impl MessagesCookie {
    /// With Django's salt. Keys are taken in once, so keep it.
    #[must_use]
    pub fn new(keys: &Keys) -> Self {
        Self {
            signer: TimestampSigner::for_cookies(keys, "django.contrib.messages"),
        }
    }

    /// The messages of a cookie's value.
    ///
    /// # Errors
    /// [`LoadError`]; Django deletes such a cookie and shows nothing.
    pub fn read(&self, cookie: &str, now: Duration) -> Result<Received, LoadError> {
        let mut values: Vec<Value> = object::loads(&self.signer, cookie, None, now)?;
        let all = values.last().is_none_or(|last| last != NOT_FINISHED);
        if !all {
            values.pop();
        }
        let messages = values
            .iter()
            .map(|value| Message::of(value).ok_or_else(not_a_message))
            .collect::<Result<_, _>>()?;
        Ok(Received { messages, all })
    }

    /// The cookie for these messages, oldest first. What finds no room in [`MESSAGES_LIMIT`] is
    /// left out, the oldest first, and the cookie says so.
    #[must_use]
    pub fn store(&self, messages: &[Message], now: Duration) -> Stored {
        if messages.is_empty() {
            return Stored {
                cookie: None,
                left_out: 0,
            };
        }
        let parts: Vec<String> = messages.iter().map(Message::to_json).collect();
        let whole = self.seal(&parts, None, now);
        if whole.len() <= MESSAGES_LIMIT {
            return Stored {
                cookie: Some(whole),
                left_out: 0,
            };
        }
        // How many to leave out, halving as Django does: the same messages stay.
        let marked = |from: usize| {
            let kept = parts.get(from..).unwrap_or_default();
            self.seal(kept, Some(NOT_FINISHED), now)
        };
        let (mut low, mut high) = (0, parts.len());
        while low < high {
            let middle = low.midpoint(high);
            if marked(middle).len() > MESSAGES_LIMIT {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Stored {
            cookie: Some(marked(low)),
            left_out: low,
        }
    }

    fn seal(&self, parts: &[String], last: Option<&str>, now: Duration) -> String {
        let mut json = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
        json.push('[');
        json.push_str(&parts.join(","));
        if let Some(last) = last {
            if !parts.is_empty() {
                json.push(',');
            }
            json.push_str(&json::escape(last));
        }
        json.push(']');
        object::seal(&self.signer, json.as_bytes(), true, now)
    }
}

fn not_a_message() -> LoadError {
    LoadError::Shape(serde::de::Error::custom(
        "expected [\"__json_message\", safe, level, text] or a fifth element of tags",
    ))
}
