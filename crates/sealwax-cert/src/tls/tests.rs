//! Real handshakes in memory, with rustls as the client. Other clients are in
//! `tests/`.

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::server::Acceptor;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, NamedGroup, ProtocolVersion, RootCertStore,
    ServerConnection,
};
use rustls_pki_types::ServerName;

use super::*;
use crate::{LocalAuthority, Resolver};

const ALPN: &[&[u8]] = &[b"h2", b"http/1.1"];

fn now() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        .cast_signed()
}

struct Side {
    roots: RootCertStore,
    resolver: Arc<dyn ResolvesServerCert>,
    tickets: Tickets,
    _dir: tempfile::TempDir,
}

impl Side {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = LocalAuthority::open_or_create(&dir.path().join("ca"), now()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.root_der().clone()).unwrap();
        let resolver = Resolver::builder(Arc::new(now))
            .local(&["app.localhost", "other.localhost"], Arc::new(authority))
            .build()
            .unwrap();
        Self {
            roots,
            resolver: Arc::new(resolver),
            tickets: Tickets::new().unwrap(),
            _dir: dir,
        }
    }

    fn server(&self, profile: Profile) -> Arc<ServerConfig> {
        server_config(profile, Arc::clone(&self.resolver), ALPN, &self.tickets)
            .map(Arc::new)
            .unwrap()
    }

    fn client(
        &self,
        provider: CryptoProvider,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
        config.resumption = Resumption::in_memory_sessions(8);
        Arc::new(config)
    }
}

fn client_hello(client: &mut ClientConnection) -> Vec<u8> {
    let mut wire = Vec::new();
    client.write_tls(&mut wire).unwrap();
    wire
}

fn connect(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    name: &str,
) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    for _ in 0..10 {
        let mut wire = client_hello(&mut client);
        let mut input = wire.as_slice();
        while !input.is_empty() {
            server.read_tls(&mut input).unwrap();
            server.process_new_packets()?;
        }
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        let mut input = wire.as_slice();
        while !input.is_empty() {
            client.read_tls(&mut input).unwrap();
            client.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok((client, server))
}

const BOTH: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

fn group(connection: &ServerConnection) -> NamedGroup {
    connection.negotiated_key_exchange_group().unwrap().name()
}

fn suite(connection: &ServerConnection) -> CipherSuite {
    connection.negotiated_cipher_suite().unwrap().suite()
}

#[test]
fn a_modern_client_gets_post_quantum_aes_128_and_the_servers_protocol() {
    let side = Side::new();
    let client = side.client(aws_lc_rs::default_provider(), BOTH);
    let (_, server) = connect(
        &client,
        &side.server(Profile::Intermediate),
        "app.localhost",
    )
    .unwrap();
    assert_eq!(server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    assert_eq!(suite(&server), CipherSuite::TLS13_AES_128_GCM_SHA256);
    assert_eq!(group(&server), NamedGroup::X25519MLKEM768);
    assert_eq!(server.alpn_protocol(), Some(&b"h2"[..]));
}

#[test]
fn groups_are_accepted_in_the_order_of_the_guideline() {
    let side = Side::new();
    let server = side.server(Profile::Intermediate);
    for (kx_group, name) in [
        (kx_group::X25519, NamedGroup::X25519),
        (kx_group::SECP256R1, NamedGroup::secp256r1),
        (kx_group::SECP384R1, NamedGroup::secp384r1),
    ] {
        let provider = CryptoProvider {
            kx_groups: vec![kx_group],
            ..aws_lc_rs::default_provider()
        };
        let (_, server) = connect(&side.client(provider, BOTH), &server, "app.localhost").unwrap();
        assert_eq!(group(&server), name);
    }
    let provider = CryptoProvider {
        kx_groups: vec![kx_group::MLKEM1024],
        ..aws_lc_rs::default_provider()
    };
    assert!(connect(&side.client(provider, BOTH), &server, "app.localhost").is_err());
}

#[test]
fn tls_1_2_only_in_the_intermediate_profile() {
    let side = Side::new();
    let client = side.client(aws_lc_rs::default_provider(), &[&version::TLS12]);
    let (_, server) = connect(
        &client,
        &side.server(Profile::Intermediate),
        "app.localhost",
    )
    .unwrap();
    assert_eq!(server.protocol_version(), Some(ProtocolVersion::TLSv1_2));
    assert_eq!(
        suite(&server),
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    );
    assert!(connect(&client, &side.server(Profile::Modern), "app.localhost").is_err());
    let client = side.client(aws_lc_rs::default_provider(), BOTH);
    let (_, server) = connect(&client, &side.server(Profile::Modern), "app.localhost").unwrap();
    assert_eq!(server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
}

/// Tickets outlive the configuration that issued them, as a reload needs, but
/// not a name: RFC 6066 section 3.
#[test]
fn sessions_resume_across_configurations_but_not_across_names_or_keys() {
    let side = Side::new();
    for versions in [&[&version::TLS13][..], &[&version::TLS12][..]] {
        let client = side.client(aws_lc_rs::default_provider(), versions);
        let kind = |server: &Arc<ServerConfig>, name: &str| {
            let (client, _) = connect(&client, server, name).unwrap();
            client.handshake_kind().unwrap()
        };
        let first = side.server(Profile::Intermediate);
        assert_eq!(kind(&first, "app.localhost"), HandshakeKind::Full);
        let reloaded = side.server(Profile::Intermediate);
        assert_eq!(kind(&reloaded, "app.localhost"), HandshakeKind::Resumed);
        assert_eq!(kind(&reloaded, "other.localhost"), HandshakeKind::Full);

        let stranger = Tickets::new().unwrap();
        let stranger = server_config(
            Profile::Intermediate,
            Arc::clone(&side.resolver),
            ALPN,
            &stranger,
        )
        .unwrap();
        assert_eq!(
            kind(&Arc::new(stranger), "app.localhost"),
            HandshakeKind::Full
        );
    }
}

#[test]
fn two_tickets_and_no_early_data() {
    let side = Side::new();
    let mut config = ClientConfig::clone(&side.client(aws_lc_rs::default_provider(), BOTH));
    config.enable_early_data = true;
    let client = Arc::new(config);
    let server = side.server(Profile::Intermediate);
    let (first, _) = connect(&client, &server, "app.localhost").unwrap();
    assert_eq!(first.tls13_tickets_received(), 2);
    let name = ServerName::try_from("app.localhost").unwrap();
    let mut second = ClientConnection::new(Arc::clone(&client), name).unwrap();
    assert!(second.early_data().is_none());
}

fn chacha_first() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: [CHACHA_SUITES, AES_SUITES].concat(),
        ..aws_lc_rs::default_provider()
    }
}

#[test]
fn the_client_hello_decides_which_cipher_comes_first() {
    let side = Side::new();
    let configs =
        TlsConfigs::new(Profile::Intermediate, &side.resolver, ALPN, &side.tickets).unwrap();
    let aes_256_first = aws_lc_rs::default_provider();
    let openssl = CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS13_AES_128_GCM_SHA256,
        ],
        ..aws_lc_rs::default_provider()
    };
    for (provider, versions, prefers, expected) in [
        (
            aes_256_first,
            BOTH,
            false,
            CipherSuite::TLS13_AES_128_GCM_SHA256,
        ),
        (
            openssl,
            &[&version::TLS13][..],
            false,
            CipherSuite::TLS13_AES_128_GCM_SHA256,
        ),
        (
            chacha_first(),
            BOTH,
            true,
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
        ),
        (
            chacha_first(),
            &[&version::TLS12][..],
            true,
            CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        ),
    ] {
        let client = side.client(provider, versions);
        let name = ServerName::try_from("app.localhost").unwrap();
        let mut connection = ClientConnection::new(Arc::clone(&client), name).unwrap();
        let mut acceptor = Acceptor::default();
        let wire = client_hello(&mut connection);
        acceptor.read_tls(&mut wire.as_slice()).unwrap();
        let accepted = acceptor.accept().unwrap().unwrap();
        assert_eq!(prefers_chacha(&accepted.client_hello()), prefers);
        let chosen = configs.choose(&accepted.client_hello());
        let (_, server) = connect(&client, chosen, "app.localhost").unwrap();
        assert_eq!(suite(&server), expected);
    }
    // Who does not choose serves such a client with AES, and it works.
    let client = side.client(chacha_first(), BOTH);
    let (_, server) = connect(&client, configs.default_config(), "app.localhost").unwrap();
    assert_eq!(suite(&server), CipherSuite::TLS13_AES_128_GCM_SHA256);
}

/// A ClientHello whose server name is exchanged on the wire for any bytes of
/// the same or another length.
fn with_server_name(side: &Side, bytes: &[u8]) -> Vec<u8> {
    const PLACEHOLDER: &str = "placeholder.localhost";
    let client = side.client(aws_lc_rs::default_provider(), BOTH);
    let name = ServerName::try_from(PLACEHOLDER).unwrap();
    let mut connection = ClientConnection::new(client, name).unwrap();
    let wire = client_hello(&mut connection);
    let at = wire
        .windows(PLACEHOLDER.len())
        .position(|window| window == PLACEHOLDER.as_bytes())
        .unwrap();
    let growth = bytes.len() as isize - PLACEHOLDER.len() as isize;
    let grown = |old: u16| u16::try_from(old as isize + growth).unwrap();
    let mut changed = wire.clone();
    // Lengths, from the inside out: name, list, extension.
    for offset in [at - 2, at - 5, at - 7] {
        let old = u16::from_be_bytes([wire[offset], wire[offset + 1]]);
        changed[offset..offset + 2].copy_from_slice(&grown(old).to_be_bytes());
    }
    // Record, handshake message (24 bits), and the extensions' total.
    for offset in [3, 7, extensions_offset(&wire)] {
        let old = u16::from_be_bytes([wire[offset], wire[offset + 1]]);
        changed[offset..offset + 2].copy_from_slice(&grown(old).to_be_bytes());
    }
    changed.splice(at..at + PLACEHOLDER.len(), bytes.iter().copied());
    changed
}

/// RFC 8446 section 4.1.2: version, random, session id, suites, compression.
fn extensions_offset(wire: &[u8]) -> usize {
    let mut at = 5 + 4 + 2 + 32;
    at += 1 + usize::from(wire[at]);
    at += 2 + usize::from(u16::from_be_bytes([wire[at], wire[at + 1]]));
    at + 1 + usize::from(wire[at])
}

#[test]
fn odd_server_names_end_in_an_answer_or_an_alert_never_in_a_panic() {
    let side = Side::new();
    let server = side.server(Profile::Intermediate);
    let long = [b"a.".repeat(150), b"localhost".to_vec()].concat();
    let long_label = [b"a".repeat(300), b".localhost".to_vec()].concat();
    let table: &[(&[u8], bool)] = &[
        (b"app.localhost", true),
        (b"unknown.localhost", true),
        (b"xn--bcher-kva.localhost", true),
        (b"xn--", false),
        // Not allowed by RFC 6066 section 3, sent by some: as if none were there.
        (b"127.0.0.1", true),
        (b"::1", true),
        (&long, false),
        (&long_label, false),
        (b"", false),
        (b"a..localhost", false),
        (b"app.localhost\0.example.com", false),
        ("bücher.localhost".as_bytes(), false),
        (b"\xff\xfe", false),
    ];
    for (name, accepted) in table {
        let wire = with_server_name(&side, name);
        let mut connection = ServerConnection::new(Arc::clone(&server)).unwrap();
        let mut input = wire.as_slice();
        while !input.is_empty() {
            connection.read_tls(&mut input).unwrap();
        }
        let outcome = connection.process_new_packets();
        let shown = String::from_utf8_lossy(name);
        assert_eq!(outcome.is_ok(), *accepted, "{shown}: {outcome:?}");
        let mut answer = Vec::new();
        connection.write_tls(&mut answer).unwrap();
        // 22 handshake, 21 alert (RFC 8446 section 5.1).
        let expected = if *accepted { 22 } else { 21 };
        assert_eq!(answer.first(), Some(&expected), "{shown}");
    }
}
