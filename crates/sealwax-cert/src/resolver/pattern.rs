//! Host patterns and their lookup.

use std::borrow::Cow;
use std::collections::HashMap;

/// One entry of an allow-list of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// This name or address.
    Exact(String),
    /// `.example.com`: the name and everything below it.
    Tree(String),
    /// `*.example.com`: everything below the name.
    Below(String),
    /// `*`.
    Any,
}

impl Pattern {
    pub(super) fn parse(host: &str) -> Self {
        let host = normalise(host);
        if host == "*" {
            Self::Any
        } else if let Some(name) = host.strip_prefix("*.") {
            Self::Below(name.to_owned())
        } else if let Some(name) = host.strip_prefix('.') {
            Self::Tree(name.to_owned())
        } else {
            Self::Exact(host.into_owned())
        }
    }
}

/// Lower case, without a final dot; borrowed where it is so already, as it is
/// in handshakes.
pub(super) fn normalise(host: &str) -> Cow<'_, str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

/// All patterns of all sites. A lookup costs one hash per label of the name.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    exact: HashMap<String, usize>,
    /// The bare names of trees, which an exact host of any site beats.
    tops: HashMap<String, usize>,
    below: HashMap<String, usize>,
    any: Option<usize>,
}

impl Patterns {
    /// The first site to claim a pattern keeps it.
    pub(super) fn insert(&mut self, pattern: &Pattern, site: usize) {
        match pattern {
            Pattern::Exact(name) => {
                self.exact.entry(name.clone()).or_insert(site);
            }
            Pattern::Tree(name) => {
                self.tops.entry(name.clone()).or_insert(site);
                self.below.entry(name.clone()).or_insert(site);
            }
            Pattern::Below(name) => {
                self.below.entry(name.clone()).or_insert(site);
            }
            Pattern::Any => {
                self.any.get_or_insert(site);
            }
        }
    }

    /// The site for a normalised name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        if let Some(site) = self.exact.get(name).or_else(|| self.tops.get(name)) {
            return Some(*site);
        }
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(site) = self.below.get(parent) {
                return Some(*site);
            }
            rest = parent;
        }
        self.any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(hosts: &[&str]) -> Patterns {
        let mut patterns = Patterns::default();
        for (site, host) in hosts.iter().enumerate() {
            patterns.insert(&Pattern::parse(host), site);
        }
        patterns
    }

    #[test]
    fn exact_before_longest_suffix_before_any() {
        let found = patterns(&[
            "*",
            ".example.com",
            "app.example.com",
            "*.eu.example.com",
            "Other.Test.",
        ]);
        for (name, site) in [
            ("app.example.com", 2),
            ("example.com", 1),
            ("www.example.com", 1),
            ("a.app.example.com", 1),
            ("x.eu.example.com", 3),
            ("a.b.eu.example.com", 3),
            ("eu.example.com", 1),
            ("other.test", 4),
            ("notexample.com", 0),
            ("", 0),
            (".", 0),
            ("..example.com", 1),
        ] {
            assert_eq!(found.find(name), Some(site), "{name}");
        }
        assert_eq!(patterns(&["a.test"]).find("b.test"), None);
    }

    #[test]
    fn an_exact_host_beats_the_bare_name_of_an_earlier_tree() {
        assert_eq!(patterns(&[".a.test", "a.test"]).find("a.test"), Some(1));
        assert_eq!(patterns(&["a.test", ".a.test"]).find("a.test"), Some(0));
        assert_eq!(patterns(&["a.test", "a.test"]).find("a.test"), Some(0));
    }
}
