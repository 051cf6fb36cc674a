use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};

use x509_parser::prelude::{FromDer, X509Certificate};

use super::*;
use crate::files::{CertificateFiles, load};
use crate::when::DAY;

const NOW: i64 = 1_800_000_000;

struct Bench {
    time: Arc<AtomicI64>,
    authority: Arc<LocalAuthority>,
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = LocalAuthority::open_or_create(&dir.path().join("ca"), NOW).unwrap();
        Self {
            time: Arc::new(AtomicI64::new(NOW)),
            authority: Arc::new(authority),
            dir,
        }
    }

    fn builder(&self) -> ResolverBuilder {
        let time = Arc::clone(&self.time);
        Resolver::builder(Arc::new(move || time.load(Ordering::Relaxed)))
    }

    fn local(&self, hosts: &[&str]) -> Resolver {
        self.builder()
            .local(hosts, Arc::clone(&self.authority))
            .build()
            .unwrap()
    }

    /// Files with a self-signed certificate.
    fn loaded(&self, names: &[&str]) -> Loaded {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let files = CertificateFiles {
            cert: self.dir.path().join("c.pem"),
            key: self.dir.path().join("k.pem"),
        };
        std::fs::write(&files.cert, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        load(&files, NOW).unwrap()
    }
}

fn names(resolver: &Resolver, sni: Option<&str>) -> String {
    let key = resolver.certificate(sni).unwrap();
    let (_, leaf) = X509Certificate::from_der(&key.cert[0]).unwrap();
    let extension = leaf.subject_alternative_name().unwrap().unwrap();
    let shown: Vec<_> = extension
        .value
        .general_names
        .iter()
        .map(|name| match name {
            x509_parser::extensions::GeneralName::DNSName(name) => (*name).to_owned(),
            x509_parser::extensions::GeneralName::IPAddress(octets) => format!("{octets:?}"),
            other => other.to_string(),
        })
        .collect();
    shown.join(" ")
}

fn same(a: &Arc<CertifiedKey>, b: &Arc<CertifiedKey>) -> bool {
    Arc::ptr_eq(a, b)
}

const V6: &str = "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]";

#[test]
fn each_name_gets_its_own_leaf_and_keeps_it() {
    let bench = Bench::new();
    let resolver = bench.local(&["app.localhost", ".test"]);
    assert_eq!(names(&resolver, Some("app.localhost")), "app.localhost");
    assert_eq!(names(&resolver, Some("a.b.test")), "a.b.test");
    assert_eq!(names(&resolver, Some("test")), "test");
    let first = resolver.certificate(Some("a.test")).unwrap();
    assert!(same(&first, &resolver.certificate(Some("A.TEST")).unwrap()));
    assert!(same(
        &first,
        &resolver.certificate(Some("a.test.")).unwrap()
    ));
}

#[test]
fn no_name_or_an_unknown_one_gets_the_first_site() {
    let bench = Bench::new();
    let resolver = bench.local(&[".localhost", "192.168.1.5", "app.test", "10.0.0.1"]);
    let expected = format!("app.test [192, 168, 1, 5] [10, 0, 0, 1] [127, 0, 0, 1] {V6}");
    let long = "a".repeat(300);
    for sni in [
        None,
        Some("example.com"),
        Some(""),
        Some("xn--"),
        Some(long.as_str()),
    ] {
        assert_eq!(names(&resolver, sni), expected, "{sni:?}");
    }
    let only_pattern = bench.local(&[".localhost"]);
    assert_eq!(
        names(&only_pattern, None),
        format!("localhost [127, 0, 0, 1] {V6}")
    );
}

#[test]
fn sites_are_told_apart() {
    let bench = Bench::new();
    let public = bench.loaded(&["www.example.com"]);
    let key = Arc::clone(&public.key);
    let resolver = bench
        .builder()
        .files(&[".example.com"], public)
        .local(&["*.localhost"], Arc::clone(&bench.authority))
        .build()
        .unwrap();
    for sni in [
        None,
        Some("example.com"),
        Some("x.example.com"),
        Some("nobody.test"),
        Some("localhost"),
    ] {
        assert!(same(&key, &resolver.certificate(sni).unwrap()), "{sni:?}");
    }
    assert_eq!(names(&resolver, Some("app.localhost")), "app.localhost");
    // An address as a server name is no name: RFC 6066 section 3.
    assert!(same(
        &key,
        &resolver.certificate(Some("127.0.0.1")).unwrap()
    ));
}

#[test]
fn facts_claim_only_what_is_known() {
    let bench = Bench::new();
    let mut public = bench.loaded(&["www.example.com"]);
    public.publicly_trusted = true;
    public.not_after = NOW + DAY;
    let resolver = bench
        .builder()
        .files(&[".example.com"], public)
        .local(&["app.localhost"], Arc::clone(&bench.authority))
        .build()
        .unwrap();
    let facts = |sni| resolver.facts(sni);
    let trusted = CertFacts {
        publicly_trusted: true,
        not_after: NOW + DAY,
        local: false,
    };
    let untrusted = CertFacts {
        publicly_trusted: false,
        ..trusted
    };
    assert_eq!(facts(Some("WWW.example.com")), trusted);
    assert_eq!(facts(None), trusted);
    assert_eq!(
        facts(Some("other.example.com")),
        untrusted,
        "not in the certificate"
    );
    assert!(facts(Some("app.localhost")).local);
    assert!(!facts(Some("app.localhost")).publicly_trusted);
    bench.time.store(NOW + DAY + 1, Ordering::Relaxed);
    assert_eq!(facts(Some("www.example.com")), untrusted, "expired since");
}

#[test]
fn leaves_are_renewed_after_two_thirds_of_their_life() {
    let bench = Bench::new();
    let resolver = bench.local(&["app.localhost"]);
    let at = |time: i64, sni| {
        bench.time.store(time, Ordering::Relaxed);
        resolver.certificate(sni).unwrap()
    };
    for sni in [Some("app.localhost"), None] {
        let first = at(NOW, sni);
        let due = NOW - DAY + 60 * DAY;
        assert!(same(&first, &at(due - DAY, sni)));
        let second = at(due, sni);
        assert!(!same(&first, &second));
        assert!(same(&second, &at(due, sni)));
        let ends = resolver.facts(sni).not_after;
        assert_eq!(ends, due + 89 * DAY - 1);
        // The root's end: what cannot be renewed is served to the last.
        let last = at(bench.authority.not_after(), sni);
        assert!(same(&last, &at(bench.authority.not_after() + 1, sni)));
    }
}

#[test]
fn a_flood_of_made_up_names_stays_bounded() {
    let bench = Bench::new();
    let resolver = bench.local(&["app.localhost", ".localhost"]);
    let own = resolver.certificate(Some("app.localhost")).unwrap();
    let first = resolver.certificate(None).unwrap();

    let mut distinct = HashSet::new();
    for number in 0..leaves::MAX_NAMES + 500 {
        let key = resolver
            .certificate(Some(&format!("n{number}.localhost")))
            .unwrap();
        distinct.insert(Arc::as_ptr(&key) as usize);
    }
    // The bound, give or take the exact host's own place, and the first site's.
    assert!(
        distinct.len() <= leaves::MAX_NAMES + 2,
        "{}",
        distinct.len()
    );
    let refused = resolver.certificate(Some("late.localhost")).unwrap();
    assert!(same(&first, &refused));
    assert!(same(
        &own,
        &resolver.certificate(Some("app.localhost")).unwrap()
    ));

    // Names that nobody asks for make room again; those in use stay.
    let used = resolver.certificate(Some("n7.localhost")).unwrap();
    bench.time.store(NOW + leaves::IDLE - 1, Ordering::Relaxed);
    assert!(same(
        &used,
        &resolver.certificate(Some("n7.localhost")).unwrap()
    ));
    bench.time.store(NOW + leaves::IDLE, Ordering::Relaxed);
    assert_eq!(names(&resolver, Some("late.localhost")), "late.localhost");
    assert!(same(
        &used,
        &resolver.certificate(Some("n7.localhost")).unwrap()
    ));

    // Names of no site cost nothing but a lookup.
    assert!(same(
        &first,
        &resolver.certificate(Some("n1.example.com")).unwrap()
    ));
}

#[test]
fn an_exact_host_has_its_leaf_even_when_the_rest_is_full() {
    let bench = Bench::new();
    let resolver = bench.local(&["app.localhost", "late.localhost", ".localhost"]);
    for number in 0..leaves::MAX_NAMES + 10 {
        resolver
            .certificate(Some(&format!("n{number}.localhost")))
            .unwrap();
    }
    assert_eq!(names(&resolver, Some("late.localhost")), "late.localhost");
}

#[test]
fn any_is_served_locally_as_far_as_the_authority_reaches() {
    let bench = Bench::new();
    let resolver = bench.local(&["*"]);
    assert_eq!(names(&resolver, Some("anything.test")), "anything.test");
    let first = resolver.certificate(None).unwrap();
    assert!(same(
        &first,
        &resolver.certificate(Some("example.com")).unwrap()
    ));
}

#[test]
fn what_cannot_work_is_told_when_it_is_built() {
    let bench = Bench::new();
    assert!(matches!(
        bench.builder().build(),
        Err(ResolverError::NoSites)
    ));
    for host in [
        "example.com",
        ".example.com",
        "*.com",
        "bad host",
        "8.8.8.8",
    ] {
        let error = bench
            .builder()
            .local(&["app.localhost", host], Arc::clone(&bench.authority))
            .build()
            .unwrap_err();
        assert!(
            matches!(error, ResolverError::Local(LocalError::NotLocal(_))),
            "{host}: {error}"
        );
    }
    bench
        .time
        .store(bench.authority.not_after() + 1, Ordering::Relaxed);
    let error = bench
        .builder()
        .local(&["localhost"], Arc::clone(&bench.authority))
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
}

#[test]
fn many_workers_may_ask_at_once() {
    let bench = Bench::new();
    let resolver = bench.local(&[".localhost"]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for number in 0..20 {
                    let name = format!("n{number}.localhost");
                    assert_eq!(names(&resolver, Some(&name)), name);
                }
            });
        }
    });
    let key = resolver.certificate(Some("n0.localhost")).unwrap();
    assert!(same(
        &key,
        &resolver.certificate(Some("n0.localhost")).unwrap()
    ));
}
