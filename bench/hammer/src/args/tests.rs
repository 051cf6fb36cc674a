use super::*;

const COMMON: &str =
    "--addr 127.0.0.1:443 --name localhost --ca a --body b --cookie c=1 --open 16 --seconds 0.5";
const FULL: &str = "--groups x25519 --limit 1000";
const LOAD: &str = "--protocol h2 --streams 10 --pause 0 --abort-every 100 --sources 4";

fn parse(line: &str) -> Result<Args, Error> {
    Args::parse(line.split_whitespace().map(str::to_owned))
}

#[test]
fn a_whole_line_is_read() {
    let args = parse(&format!("resumed {COMMON} {FULL}")).unwrap();
    assert_eq!(
        args.mode,
        Mode::Handshakes {
            resumed: true,
            groups: Groups::X25519,
            limit: 1000
        }
    );
    assert_eq!(args.open, 16);
    assert_eq!(args.time, Duration::from_millis(500));

    let args = parse(&format!("load {COMMON} {LOAD}")).unwrap();
    assert_eq!(
        args.mode,
        Mode::Load(LoadArgs {
            protocol: Protocol::Http2,
            streams: 10,
            pause: Duration::ZERO,
            abort_every: 100,
            sources: Sources(4)
        })
    );
}

#[test]
fn each_mistake_is_named() {
    let full = format!("full {COMMON} {FULL}");
    let load = format!("load {COMMON} {LOAD}");
    for (line, says) in [
        (String::new(), "no mode"),
        (full.replace("full", "fast"), "unknown mode"),
        (full.replace("127.0.0.1", "192.0.2.1"), "not a loopback"),
        (full.replace("--open 16", "--open 0"), "--open must be"),
        (full.replace("--open 16", "--open 20000"), "--open must be"),
        (
            full.replace("--seconds 0.5", "--seconds 0"),
            "--seconds must be",
        ),
        (
            full.replace("--seconds 0.5", "--seconds NaN"),
            "--seconds must be",
        ),
        (
            full.replace("--limit 1000", "--limit"),
            "--limit needs a value",
        ),
        (full.replace("--limit 1000", ""), "--limit is missing"),
        (format!("{full} --limit 1"), "given twice"),
        (
            format!("{full} --colour red"),
            "--colour is not known to full",
        ),
        (
            format!("{full} --streams 1"),
            "--streams is not known to full",
        ),
        (full.replace("x25519", "p256"), "--groups"),
        (load.replace("h2", "h3"), "--protocol"),
        (
            load.replace("--sources 4", "--sources 255"),
            "--sources must be",
        ),
        (load.replace("--pause 0", "--pause -1"), "--pause must be"),
    ] {
        let error = parse(&line).unwrap_err().to_string();
        assert!(error.contains(says), "{line:?} said {error:?}");
    }
}

#[test]
fn connections_are_spread_over_the_sources() {
    let three = Sources(3);
    let spread: Vec<_> = (0..4).filter_map(|number| three.of(number)).collect();
    assert_eq!(
        spread,
        [
            Ipv4Addr::new(127, 0, 0, 2),
            Ipv4Addr::new(127, 0, 0, 3),
            Ipv4Addr::new(127, 0, 0, 4),
            Ipv4Addr::new(127, 0, 0, 2)
        ]
    );
    assert_eq!(Sources::ONE.of(7), None);
}
