//! The manual: what needs more room than a type's own page.
//!
//! * [`howto`]: recipes, each of which runs.
//! * [`coming_from_django`]: setting by setting, middleware by middleware, call by call; and how to
//!   share a login with a Django next door.
//! * [`attacks`]: by name, with the design's answer to each, and what stays the app's job.
//! * [`cookies`]: what becomes of a cookie, in both directions. (Its settings are those of the
//!   gateway; here they are the fields of [`Settings`](crate::Settings) that begin with `cookie_`.)
//!
//! There is nothing here but text.

// A page's own links lead to its neighbours in the repository; of two definitions the first counts.

#[doc = "[attacks]: crate::manual::attacks#open-redirects"]
#[doc = ""]
#[doc = include_str!("../../docs/coming-from-django.md")]
pub mod coming_from_django {}

#[doc = "[Cookies]: crate::manual::cookies"]
#[doc = ""]
#[doc = include_str!("../../docs/attacks.md")]
pub mod attacks {}

#[doc = "[settings]: crate::Settings"]
#[doc = ""]
#[doc = include_str!("../../docs/cookies.md")]
pub mod cookies {}

pub mod howto;
