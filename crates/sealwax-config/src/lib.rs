//! # From text, environment and flags to a checked configuration
//!
//! ```text
//!  sealwax.toml ─┐
//!  [env.NAME]   ─┤           one row for each setting
//!  SEALWAX_…    ─┼─▶ layers ─────────▶ settled values ─▶ checks ─▶ Config
//!  flags        ─┘      │                                  │          │
//!                       ▼                                  ▼          ▼
//!                   what is not TOML, unknown,       what cannot   Policy of
//!                   or of the wrong kind             work          each site
//!                       └──────────── Diagnostics ─────────┘
//! ```
//!
//! [`load`] takes the text of everything that can hold a setting ([`Sources`])
//! and gives a [`Config`], or **all** mistakes at once ([`Diagnostics`]), each
//! with its place, its cause and its mend. [`SETTINGS`] is the one table from
//! which the reader, the variables, the flags, [`help_text`] and
//! [`reference_markdown`] are made.
//!
//! Later layers win: defaults, the file, `[env.NAME]`, variables, flags. Lists
//! are replaced, not joined. In `[env.NAME]`, `[env.NAME.site.hsts]` and the
//! like count for every site; an entry of `[[env.NAME.site]]` is laid over the
//! site with the same `hosts`, and is one more site where there is none.
//! Variables and flags that belong to a site count for every site.
//!
//! What it is not: it reads no file and no environment, opens no socket and
//! asks no name server. Whether a key can be read or an address is free is for
//! others to find; [`Places`] lets them report it at the line of the setting.
//!
//! ```
//! use sealwax_config::{Flags, Sources, Tls, load};
//!
//! let file = r#"
//! [listen]
//! https = "0.0.0.0:443"
//!
//! [[site]]
//! hosts = ["app.test"]
//! to = "http://127.0.0.1:8000"
//! "#;
//! let mut sources = Sources::default();
//! sources.file = Some(("sealwax.toml".into(), file.into()));
//! let config = load(&sources).unwrap().config;
//! assert_eq!(config.sites[0].name, "app.test");
//! assert_eq!(config.sites[0].tls, Tls::Local);
//!
//! sources.flags = Flags { to: vec!["https://app:8443".into()], ..Flags::default() };
//! let mistakes = load(&sources).unwrap_err();
//! assert_eq!(mistakes.len(), 1);
//! assert!(mistakes.render(false).contains("plain HTTP to the app"));
//! ```

mod addresses;
mod bind;
mod config;
mod cookies;
mod diagnostic;
mod document;
mod flags;
mod hosts;
mod kind;
mod layer;
mod load;
mod lower;
mod names;
mod notify;
mod places;
mod redirect;
mod reference;
mod render;
mod secret;
mod settings;
mod site;
mod source;
mod suggest;
mod syntax;
mod tls;
mod units;
mod variables;
mod view;

pub use addresses::Upstream;
pub use config::{
    Bind, Config, Environment, Limits, Listen, Notify, PathApp, Site, Timeouts, Tls, TlsProfile,
};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use flags::Flags;
pub use kind::{Item, Kind};
pub use load::{Loaded, MAX_FILE, Sources, decode, load, load_secret};
pub use places::Places;
pub use reference::{help_text, reference_markdown};
pub use secret::Secret;
pub use settings::{REFUSED_DJANGO, REFUSED_KEYS, Refused, SETTINGS, Scope, Setting, Unset};
pub use source::{Origin, Place};
pub use units::duration;
