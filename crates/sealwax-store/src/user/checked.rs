//! Names that are safe in a statement, and the statements made of them.

use std::ops::Deref;

use super::UserTable;
use crate::StoreError;

/// A [`UserTable`] whose names have been checked.
pub(crate) struct CheckedTable {
    names: UserTable,
    quoted_table: String,
}

impl CheckedTable {
    pub(crate) fn new(table: &UserTable, place: &str) -> Result<Self, StoreError> {
        let names = table.clone();
        let columns = [&names.id, &names.username, &names.password];
        let optional = [
            &names.is_active,
            &names.is_staff,
            &names.is_superuser,
            &names.email,
            &names.first_name,
            &names.last_name,
            &names.last_login,
        ];
        for name in columns.into_iter().chain(optional.into_iter().flatten()) {
            if !is_name(name) {
                return Err(bad_name(place, "column", name));
            }
        }
        let quoted_table = quoted(&names.table, place)?;
        Ok(Self {
            names,
            quoted_table,
        })
    }

    /// A query for one user: the columns of `UserRow` in its order, by one column.
    #[cfg(feature = "sqlite")]
    pub(crate) fn select(&self, by: &str, placeholder: &str) -> String {
        self.select_with(&format!("\"{}\"", self.id), by, placeholder)
    }

    /// The same with an expression for the id.
    pub(crate) fn select_with(&self, id: &str, by: &str, placeholder: &str) -> String {
        let boolean = |name: &Option<String>, otherwise: &str| match name {
            Some(name) => format!("\"{name}\""),
            None => otherwise.to_owned(),
        };
        let text = |name: &Option<String>| match name {
            Some(name) => format!("COALESCE(\"{name}\", '')"),
            None => "''".to_owned(),
        };
        let columns = [
            id.to_owned(),
            format!("\"{}\"", self.username),
            format!("\"{}\"", self.password),
            boolean(&self.is_active, "TRUE"),
            boolean(&self.is_staff, "FALSE"),
            boolean(&self.is_superuser, "FALSE"),
            text(&self.email),
            text(&self.first_name),
            text(&self.last_name),
        ]
        .join(", ");
        let table = &self.quoted_table;
        format!("SELECT {columns} FROM {table} WHERE \"{by}\" = {placeholder}")
    }

    pub(crate) fn update_last_login(&self, id: &str, at: &str) -> Option<String> {
        let column = self.last_login.as_ref()?;
        let (table, key) = (&self.quoted_table, &self.id);
        Some(format!(
            "UPDATE {table} SET \"{column}\" = {at} WHERE \"{key}\" = {id}"
        ))
    }

    /// The table's name without its schema.
    #[cfg(feature = "sqlite")]
    pub(crate) fn bare_table(&self) -> &str {
        self.table.rsplit('.').next().unwrap_or_default()
    }

    /// The table's name for a statement.
    #[cfg(feature = "postgres")]
    pub(crate) fn quoted_table(&self) -> &str {
        &self.quoted_table
    }
}

impl Deref for CheckedTable {
    type Target = UserTable;

    fn deref(&self) -> &UserTable {
        &self.names
    }
}

/// The name of a table for a statement: `"name"` or `"schema"."name"`.
pub(crate) fn quoted(table: &str, place: &str) -> Result<String, StoreError> {
    let parts: Vec<&str> = table.split('.').collect();
    if parts.len() > 2 || !parts.iter().all(|part| is_name(part)) {
        return Err(bad_name(place, "table", table));
    }
    Ok(format!("\"{}\"", parts.join("\".\"")))
}

fn is_name(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=63).contains(&text.len())
        && text.bytes().all(letters)
        && !text.starts_with(|first: char| first.is_ascii_digit())
}

fn bad_name(place: &str, what: &str, name: &str) -> StoreError {
    StoreError::misconfigured(
        place,
        format_args!("{name:?} is no name of a {what}"),
        "use letters, digits and _, not starting with a digit, at most 63 bytes",
    )
}

/// What a primary key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdKind {
    Integer,
    Text,
    Uuid,
}

impl IdKind {
    /// The one spelling of an id; `None` when it can be no key of this kind.
    pub(crate) fn normal(self, id: &str) -> Option<String> {
        match self {
            Self::Integer => {
                let number: i64 = id.parse().ok()?;
                // `+7` and `007` are spellings that no session of Django's has.
                let text = number.to_string();
                (text == id).then_some(text)
            }
            Self::Text => (!id.contains('\0')).then(|| id.to_owned()),
            Self::Uuid => uuid(id),
        }
    }
}

/// A UUID in lower case with its four hyphens, from that or from 32 digits.
fn uuid(text: &str) -> Option<String> {
    let hyphens = [8, 13, 18, 23];
    let with_hyphens = text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(place, byte)| (byte == b'-') == hyphens.contains(&place));
    let digits: String = if with_hyphens {
        text.replace('-', "")
    } else {
        text.to_owned()
    };
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut normal = String::with_capacity(36);
    for (place, digit) in digits.chars().enumerate() {
        if [8, 12, 16, 20].contains(&place) {
            normal.push('-');
        }
        normal.push(digit.to_ascii_lowercase());
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_name_gets_into_a_statement() {
        for (name, expected) in [
            ("auth_user", Some("\"auth_user\"")),
            ("accounts.person", Some("\"accounts\".\"person\"")),
            ("_x9", Some("\"_x9\"")),
            ("", None),
            ("9x", None),
            ("a.b.c", None),
            ("a.", None),
            ("a b", None),
            ("a\"; DROP TABLE b; --", None),
            ("über", None),
        ] {
            assert_eq!(quoted(name, "here").ok().as_deref(), expected, "{name:?}");
        }
        let long = "a".repeat(64);
        assert!(quoted(&long, "here").is_err());
        for set in [
            |table: &mut UserTable| table.password = "a\"b".into(),
            |table: &mut UserTable| table.email = Some("a.b".into()),
            |table: &mut UserTable| table.last_login = Some(String::new()),
        ] {
            let mut table = UserTable::default();
            set(&mut table);
            let refused = CheckedTable::new(&table, "here");
            assert!(matches!(refused, Err(StoreError::Misconfigured(_))));
        }
    }

    #[test]
    fn an_id_has_one_spelling() {
        let check = |kind: IdKind, id: &str, expected: Option<&str>| {
            assert_eq!(kind.normal(id).as_deref(), expected, "{kind:?} {id:?}");
        };
        check(IdKind::Integer, "1", Some("1"));
        check(IdKind::Integer, "-1", Some("-1"));
        check(
            IdKind::Integer,
            "9223372036854775807",
            Some("9223372036854775807"),
        );
        for bad in [
            "",
            "01",
            "+1",
            " 1",
            "1 ",
            "1.0",
            "x",
            "9223372036854775808",
            "-0",
        ] {
            check(IdKind::Integer, bad, None);
        }
        let normal = "6b86b273-ff34-4ce1-9d6b-804eff5a3f57";
        check(IdKind::Uuid, normal, Some(normal));
        check(IdKind::Uuid, &normal.to_uppercase(), Some(normal));
        check(IdKind::Uuid, &normal.replace('-', ""), Some(normal));
        for bad in ["", "6b86b273", "6b86b273ff-34-4ce1-9d6b-804eff5a3f57", "1"] {
            check(IdKind::Uuid, bad, None);
        }
        check(IdKind::Text, "", Some(""));
        check(IdKind::Text, "a\0", None);
    }
}
