//! A real Django and a real axum app share logins, over one database, in both directions.
//!
//! Each test runs against Django 4.2, 5.2 and 6 on SQLite; those who depend on the database also
//! run on PostgreSQL. Both sides are asked over HTTP, and nothing but their answers counts.

mod forged;
mod keys;
mod logins;
mod pair;
mod small;
mod values;

macro_rules! each_django {
    ($($name:ident: $old:ident, $lts:ident, $six:ident;)*) => {$(
        #[test]
        fn $old() {
            sealwax_tests::run(120, $name(sealwax_tests::Version::Old, stringify!($old)));
        }
        #[test]
        fn $lts() {
            sealwax_tests::run(120, $name(sealwax_tests::Version::Lts, stringify!($lts)));
        }
        #[test]
        fn $six() {
            sealwax_tests::run(120, $name(sealwax_tests::Version::Six, stringify!($six)));
        }
    )*};
}
pub(crate) use each_django;
