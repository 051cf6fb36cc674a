//! The users of a Django next door.

use std::fmt;
use std::time::Duration;

use crate::{BoxFuture, StoreError};

/// One user, as Django's table has it.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The primary key as text, which is how a Django session names it:
    /// `1`, or a UUID in lower case with hyphens.
    pub id: String,
    /// What the user logs in with: the column of Django's `USERNAME_FIELD`.
    pub username: String,
    /// The password column, an encoded hash such as `pbkdf2_sha256$…`.
    pub password: String,
    /// Whether the account may be used at all.
    pub is_active: bool,
    /// Whether Django's admin lets the user in.
    pub is_staff: bool,
    /// Whether the user has every permission.
    pub is_superuser: bool,
    /// The e-mail address, empty when the table has none.
    pub email: String,
    /// The first name, empty when the table has none.
    pub first_name: String,
    /// The last name, empty when the table has none.
    pub last_name: String,
}

impl fmt::Debug for UserRow {
    /// Shows who it is and leaves the password's hash out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRow")
            .field("id", &self.id)
            .field("username", &self.username)
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}

/// Who can log in.
pub trait Users: Send + Sync + 'static {
    /// The user with this primary key, given as text. A text that cannot be a key
    /// of this table (letters where numbers are) is nobody's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Corrupt`].
    fn by_id<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<UserRow>, StoreError>>;

    /// The user with exactly this name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Corrupt`].
    fn by_username<'a>(
        &'a self,
        username: &'a str,
    ) -> BoxFuture<'a, Result<Option<UserRow>, StoreError>>;

    /// Notes a login, as Django does. `at` counts from the Unix epoch.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn set_last_login<'a>(
        &'a self,
        id: &'a str,
        at: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}
