//! Somebody who is logged in.

use std::ops::Deref;
use std::sync::Arc;

use sealwax_store::UserRow;

/// Somebody who is logged in, or has just proved who they are: a row of the users' table that
/// counts. Reads as a [`UserRow`]; clones share it.
///
/// With the feature `axum` it is an extractor: `User` refuses others with 403 (a session is no
/// scheme that a 401 could name, RFC 9110 §11.6.1), or sends those who ask for a page to
/// `login_url`, with `?next=` and the path they asked for; `Option<User>` lets them in.
///
/// ```
/// fn greet(user: Option<sealwax::User>) -> String {
///     match user {
///         Some(user) => format!("Hello {}", user.username),
///         None => "Hello stranger".to_owned(),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User(Arc<UserRow>);

impl User {
    pub(super) fn new(row: UserRow) -> Self {
        Self(Arc::new(row))
    }
}

impl Deref for User {
    type Target = UserRow;

    fn deref(&self) -> &UserRow {
        &self.0
    }
}
