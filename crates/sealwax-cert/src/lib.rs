//! Certificates for Sealwax: where they come from, whether they can be
//! trusted, and which one answers a connection.
//!
//! ```text
//!                 ┌ LocalAuthority ─ issue(host) ─┐
//!  hosts, files ──┤                               ├──▶ Resolver ──▶ server_config ──▶ TLS
//!                 └ load(CertificateFiles) ───────┘    (SNI → key)   (profile, tickets)
//!                        │
//!  root.pem ─────────────┴──▶ trust::plan_install ──▶ trust::execute ──▶ report per store
//! ```
//!
//! Four parts:
//!
//! * [`LocalAuthority`]: a certificate authority for development. Its root is
//!   *name-constrained* (RFC 5280 section 4.2.1.10): whoever steals its key can
//!   impersonate `localhost`, never `example.com`.
//! * [`load`]: certificate and key files, checked until a mistake has one clear
//!   message: the place, the cause and the mend.
//! * [`Resolver`] and [`server_config`]: which certificate answers which server
//!   name (RFC 6066 section 3), and a TLS configuration after Mozilla's
//!   guideline 6.0.
//! * [`trust`]: the commands that make a machine's browsers and tools trust the
//!   local authority, as a plan that can be read before it is run.
//!
//! What it is not: it does not know HTTP, opens no socket and does not obtain
//! public certificates. Except for the rotation of session ticket keys, which
//! rustls times by itself, nothing here reads a clock: time comes in, as
//! seconds since 1970-01-01 UTC.
//!
//! All functions that touch files block. Call them where blocking is allowed.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//! use sealwax_cert::{LocalAuthority, Profile, Resolver, Tickets, server_config};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let home = tempfile::tempdir()?;
//! # let dir = home.path().join("local-ca");
//! # let now = 1_800_000_000;
//! let authority = Arc::new(LocalAuthority::open_or_create(&dir, now)?);
//! let resolver = Resolver::builder(Arc::new(move || now))
//!     .local(&["app.localhost"], authority)
//!     .build()?;
//! assert!(resolver.facts(Some("app.localhost")).local);
//!
//! let tickets = Tickets::new()?;
//! let tls = server_config(
//!     Profile::Intermediate,
//!     Arc::new(resolver),
//!     &[b"h2", b"http/1.1"],
//!     &tickets,
//! )?;
//! assert_eq!(tls.alpn_protocols.len(), 2);
//! # Ok(())
//! # }
//! ```

mod digest;
mod disk;
mod files;
mod local;
mod resolver;
mod tls;
pub mod trust;
mod when;

pub use files::{CertificateFiles, LoadError, LoadWarning, Loaded, load};
pub use local::{LocalAuthority, LocalError, NotLocal, PermittedNames};
pub use resolver::{CertFacts, Clock, Resolver, ResolverBuilder, ResolverError};
pub use tls::{
    Profile, Tickets, TlsConfigs, TlsError, crypto_provider, prefers_chacha, server_config,
};
