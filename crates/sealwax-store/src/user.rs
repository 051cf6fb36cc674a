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
///
/// ```no_run
/// use sealwax_store::{Backend, StoreError, UserTable};
///
/// async fn is_staff(url: &str, id: &str) -> Result<bool, StoreError> {
///     let users = Backend::open(url).await?.users(&UserTable::default()).await?;
///     let row = users.by_id(id).await?;
///     Ok(row.is_some_and(|row| row.is_active && row.is_staff))
/// }
/// ```
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

/// The table of users and its columns.
///
/// The default is Django's own `auth_user`; name others for a custom user model.
/// Names are letters, digits and `_`, not starting with a digit, at most 63 bytes;
/// a table may have its schema in front (`accounts.person`). They are checked when
/// the table is opened, and so is that it has the columns.
///
/// ```
/// use sealwax_store::UserTable;
///
/// // class Person(AbstractBaseUser): USERNAME_FIELD = "email", no staff, no names
/// let table = UserTable {
///     table: "shop_person".into(),
///     username: "email".into(),
///     is_staff: None,
///     is_superuser: None,
///     first_name: None,
///     last_name: None,
///     ..UserTable::default()
/// };
/// # assert_eq!(table.id, "id");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserTable {
    /// Default `auth_user`.
    pub table: String,
    /// The primary key: an integer of any width, a UUID, or text. Default `id`.
    pub id: String,
    /// Default `username`.
    pub username: String,
    /// Default `password`.
    pub password: String,
    /// Default `is_active`. `None`: everybody is active.
    pub is_active: Option<String>,
    /// Default `is_staff`. `None`: nobody is.
    pub is_staff: Option<String>,
    /// Default `is_superuser`. `None`: nobody is.
    pub is_superuser: Option<String>,
    /// Default `email`. `None`: empty.
    pub email: Option<String>,
    /// Default `first_name`. `None`: empty.
    pub first_name: Option<String>,
    /// Default `last_name`. `None`: empty.
    pub last_name: Option<String>,
    /// Default `last_login`. `None`: not noted.
    pub last_login: Option<String>,
}

impl Default for UserTable {
    fn default() -> Self {
        let optional = |name: &str| Some(name.to_owned());
        Self {
            table: "auth_user".to_owned(),
            id: "id".to_owned(),
            username: "username".to_owned(),
            password: "password".to_owned(),
            is_active: optional("is_active"),
            is_staff: optional("is_staff"),
            is_superuser: optional("is_superuser"),
            email: optional("email"),
            first_name: optional("first_name"),
            last_name: optional("last_name"),
            last_login: optional("last_login"),
        }
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use checked::{CheckedTable, IdKind, quoted};

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod checked;
