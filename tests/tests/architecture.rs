//! Holds the shape of the house: imports point downward, level 0 is pure, one
//! crypto provider, small files. ARCHITECTURE.md draws what is checked here.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests say what they expect"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Every crate of the product, its level, and the workspace crates it may use.
const HOUSE: &[(&str, u8, &[&str])] = &[
    ("sealwax-cookie", 0, &[]),
    ("sealwax-bind", 0, &["sealwax-cookie"]),
    ("sealwax-h1", 0, &[]),
    ("sealwax-policy", 0, &["sealwax-bind", "sealwax-cookie"]),
    ("sealwax-django", 0, &[]),
    (
        "sealwax-config",
        1,
        &["sealwax-bind", "sealwax-cookie", "sealwax-policy"],
    ),
    ("sealwax-cert", 2, &[]),
    ("sealwax-store", 2, &[]),
    (
        "sealwax",
        3,
        &[
            "sealwax-cookie",
            "sealwax-django",
            "sealwax-policy",
            "sealwax-store",
        ],
    ),
    (
        "sealwax-gateway",
        3,
        &[
            "sealwax-cert",
            "sealwax-config",
            "sealwax-cookie",
            "sealwax-h1",
            "sealwax-policy",
        ],
    ),
    (
        "sealwax-cli",
        4,
        &[
            "sealwax-cert",
            "sealwax-config",
            "sealwax-gateway",
            "sealwax-policy",
        ],
    ),
];

/// Beside the house: may use what they measure or test.
const BESIDE: &[&str] = &[
    "sealwax-conformance",
    "sealwax-tests",
    "sealwax-hammer",
    "sealwax-floor",
    "sealwax-bench-layers",
    "sealwax-bench-policy",
    "sealwax-example-api",
    "sealwax-example-notes",
    "sealwax-test-app",
];

/// What a pure crate must not reach, in source text.
const IMPURE_SOURCE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime::now",
    "Instant::now",
    "std::os::",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "tokio",
    "rustls",
    "getrandom",
    "rand::",
    "SystemRandom",
];

/// What a pure crate must not reach, as a dependency of any depth.
const IMPURE_CRATES: &[&str] = &[
    "tokio",
    "rustls",
    "hyper",
    "mio",
    "socket2",
    "getrandom",
    "rand",
    "aws-lc-rs",
    "libc",
    "rustix",
];

/// Impure crates that a pure one may use all the same, for what is pure in them: `aws-lc-rs`
/// verifies signatures and takes hashes, which is arithmetic, and the only such code in the house.
/// Its randomness is among `IMPURE_SOURCE`.
const PURE_USES: &[(&str, &str)] = &[("sealwax-bind", "aws-lc-rs")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the workspace")
        .to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

fn metadata() -> Value {
    // One platform's tree: crates name system libraries for others that are never built here.
    let text = cargo(&[
        "metadata",
        "--format-version=1",
        "--locked",
        "--offline",
        "--filter-platform=x86_64-unknown-linux-gnu",
    ]);
    serde_json::from_str(&text).expect("cargo metadata prints JSON")
}

/// Package name → names of its normal dependencies, resolved.
fn graph(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let name_of: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .filter_map(|p| Some((p["id"].as_str()?, p["name"].as_str()?)))
        .collect();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().expect("nodes") {
        let name = name_of[node["id"].as_str().expect("id")];
        let needs = graph.entry(name.to_owned()).or_default();
        for dep in node["deps"].as_array().expect("deps") {
            let normal = dep["dep_kinds"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|k| k["kind"].is_null()));
            if normal {
                needs.insert(name_of[dep["pkg"].as_str().expect("pkg")].to_owned());
            }
        }
    }
    graph
}

fn reach(graph: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(name) = next.pop() {
        for dep in graph.get(&name).into_iter().flatten() {
            if seen.insert(dep.clone()) {
                next.push(dep.clone());
            }
        }
    }
    seen
}

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if path.is_dir()
            && !hidden
            && entry.file_name() != "target"
            && entry.file_name() != "node_modules"
        {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_crate_has_its_place_and_imports_point_downward() {
    let metadata = metadata();
    let members: BTreeSet<&str> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .filter(|p| p["source"].is_null())
        .filter_map(|p| p["name"].as_str())
        .collect();
    let placed: BTreeSet<&str> = HOUSE
        .iter()
        .map(|row| row.0)
        .chain(BESIDE.iter().copied())
        .collect();
    let homeless: Vec<_> = members.difference(&placed).collect();
    assert!(
        homeless.is_empty(),
        "crates without a place in the house: {homeless:?}"
    );

    let level: BTreeMap<&str, u8> = HOUSE.iter().map(|row| (row.0, row.1)).collect();
    let graph = graph(&metadata);
    for (name, own_level, allowed) in HOUSE {
        for dep in graph[*name].iter().filter(|d| d.starts_with("sealwax")) {
            assert!(
                allowed.contains(&dep.as_str()),
                "{name} may not import {dep}"
            );
            let below =
                level[dep.as_str()] < *own_level || (*own_level == 0 && level[dep.as_str()] == 0);
            assert!(
                below,
                "{name} (level {own_level}) imports {dep}, which is not below it"
            );
        }
    }
}

#[test]
fn level_0_is_pure() {
    let mut graph = graph(&metadata());
    for (name, crate_) in PURE_USES {
        let needs = graph.get_mut(*name).expect("a crate of the house");
        assert!(needs.remove(*crate_), "{name} no longer needs {crate_}");
    }
    for (name, _, _) in HOUSE.iter().filter(|row| row.1 == 0) {
        let reached = reach(&graph, name);
        for impure in IMPURE_CRATES {
            assert!(!reached.contains(*impure), "{name} reaches {impure}");
        }
        let mut files = Vec::new();
        rust_files(&root().join("crates").join(name).join("src"), &mut files);
        assert!(!files.is_empty(), "{name} has sources");
        for file in files {
            let text = std::fs::read_to_string(&file).expect("source is text");
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for word in IMPURE_SOURCE {
                    assert!(
                        !code.contains(word),
                        "{}:{}: {word} in a pure crate",
                        file.display(),
                        number + 1
                    );
                }
            }
        }
    }
}

#[test]
fn one_crypto_provider_and_rustls_only_where_it_belongs() {
    // `cargo tree` knows which optional dependencies are switched on; the
    // metadata also lists those that are only mentioned (`ring?/std`).
    let tree = cargo(&[
        "tree",
        "--workspace",
        "--target=all",
        "--prefix=none",
        "--format={p}",
        "--locked",
        "--offline",
    ]);
    let used: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(used.contains("aws-lc-rs"), "the tree is whole");
    for banned in ["ring", "openssl", "openssl-sys", "native-tls", "boring"] {
        assert!(
            !used.contains(banned),
            "{banned} is in the tree: cargo tree --target all -i {banned}"
        );
    }
    let graph = graph(&metadata());
    for (name, _, _) in HOUSE {
        let direct = graph[*name].contains("rustls") || graph[*name].contains("tokio-rustls");
        let allowed = ["sealwax-cert", "sealwax-gateway"].contains(name);
        assert!(!direct || allowed, "{name} imports rustls");
    }
}

#[test]
fn files_stay_small() {
    let mut files = Vec::new();
    for dir in ["crates", "tests", "bench", "fuzz", "examples"] {
        rust_files(&root().join(dir), &mut files);
    }
    assert!(files.len() > 20, "the sources are found");
    let long: Vec<String> = files
        .iter()
        .filter_map(|file| {
            let lines = std::fs::read_to_string(file).ok()?.lines().count();
            (lines > 700).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "over 700 lines:\n{}", long.join("\n"));
}
