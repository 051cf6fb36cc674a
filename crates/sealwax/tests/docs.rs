//! The page "Coming from Django" says of every setting what is true.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use sealwax::Setting;

const PAGE: &str = include_str!("../docs/coming-from-django.md");

/// The rows of the table behind the marker `name`, cell by cell, without code marks.
fn rows(name: &str) -> Vec<Vec<String>> {
    let (_, rest) = PAGE
        .split_once(&format!("<!-- {name}"))
        .unwrap_or_else(|| panic!("the page has no marker `{name}`"));
    let (table, _) = rest.split_once("<!-- end of ").unwrap();
    let lines = table.lines().filter(|line| line.starts_with("| "));
    let cells = |line: &str| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    };
    // Below the heads of the columns.
    lines.skip(1).map(cells).collect()
}

fn bare(cell: &str) -> &str {
    cell.trim_matches('`')
}

/// A default as the page writes it.
fn shown(setting: &Setting) -> String {
    match setting.default() {
        none if none.is_empty() => "–".to_owned(),
        some => some,
    }
}

#[test]
fn every_setting_of_djangos_has_a_row_with_its_default() {
    let rows = rows("settings");
    let shared = Setting::ALL
        .iter()
        .filter(|setting| !setting.django.is_empty());
    let names: Vec<&str> = shared.clone().map(|setting| setting.django).collect();
    let found: Vec<&str> = rows.iter().map(|row| bare(&row[0])).collect();
    assert_eq!(found, names, "the rows are not those of Setting::ALL");
    for (row, setting) in rows.iter().zip(shared) {
        let (_, here) = row[1].split_once(" → ").unwrap();
        let (cell, default) = (bare(here), shown(setting));
        // A long one may be cut at its beginning.
        let right = match cell.strip_prefix('…') {
            Some(end) => !end.is_empty() && default.ends_with(end),
            None => cell == default,
        };
        assert!(right, "{}: `{cell}` is not `{default}`", setting.name);
    }
    // The page says so.
    for setting in Setting::ALL.iter().filter(|s| !s.django.is_empty()) {
        assert_eq!(setting.django, setting.name.to_ascii_uppercase());
    }
}

#[test]
fn every_setting_of_our_own_has_a_row_with_its_default() {
    let rows = rows("own settings");
    let mut found: Vec<(&str, &str)> = rows.iter().map(|r| (bare(&r[0]), bare(&r[1]))).collect();
    found.sort_unstable();
    let own = Setting::ALL.iter().filter(|s| s.django.is_empty());
    let defaults: BTreeMap<&str, String> = own.map(|s| (s.name, shown(s))).collect();
    let wanted: Vec<(&str, &str)> = defaults.iter().map(|(n, d)| (*n, &**d)).collect();
    assert_eq!(found, wanted);
}

#[test]
fn what_is_said_to_be_elsewhere_is_no_setting() {
    for row in rows("elsewhere") {
        for name in row[0].split(", ").map(bare) {
            assert!(Setting::ALL.iter().all(|s| s.django != name), "{name}");
        }
    }
}
