//! Cookies as Django writes and reads them.
//!
//! A browser and Django do not read cookies alike: Django takes values in double quotes apart,
//! strips every Unicode space, so that `U+2000 sessionid` becomes `sessionid`, and lets the last of
//! two cookies with one name win. This module is that reading, for those who have to arrive at the
//! same cookies as Django. To protect cookies, read them with `sealwax-cookie`.

mod format;
mod parse;

pub use format::{Attributes, BadCookie, format};
pub use parse::{parse, value};
