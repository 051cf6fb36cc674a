//! What one source says, and how sources are laid over each other.

use std::collections::BTreeMap;

use crate::kind::Value;
use crate::source::Place;

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// Values by the key of their row in the table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Values(BTreeMap<&'static str, Found>);

impl Values {
    pub(crate) fn get(&self, key: &str) -> Option<&Found> {
        self.0.get(key)
    }

    /// Puts `found` in; gives back what was there.
    pub(crate) fn insert(&mut self, key: &'static str, found: Found) -> Option<Found> {
        self.0.insert(key, found)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Found)> {
        self.0.iter().map(|(key, found)| (*key, found))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn lay_over(&mut self, upper: &Self) {
        // Two ways to say where a certificate comes from: the upper layer's
        // way ends the lower one's, but a lone `key` completes a lower `cert`.
        if upper.0.contains_key("site.tls") {
            self.0.remove("site.tls.cert");
            self.0.remove("site.tls.key");
        }
        if upper.0.contains_key("site.tls.cert") || upper.0.contains_key("site.tls.key") {
            self.0.remove("site.tls");
        }
        self.0
            .extend(upper.0.iter().map(|(key, found)| (*key, found.clone())));
    }
}

/// The settings of one site.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SiteValues {
    pub(crate) values: Values,
    /// Rules of single cookies, by name, with the place of the name.
    pub(crate) cookies: BTreeMap<String, (Place, Values)>,
    /// Apps of single paths, in the same way.
    pub(crate) paths: BTreeMap<String, (Place, Values)>,
    /// Ages of proofs on single paths, in the same way.
    pub(crate) fresh: BTreeMap<String, (Place, Values)>,
}

impl SiteValues {
    pub(crate) fn is_empty(&self) -> bool {
        let named = [&self.cookies, &self.paths, &self.fresh];
        self.values.is_empty() && named.iter().all(|map| map.is_empty())
    }

    fn lay_over(&mut self, upper: &Self) {
        self.values.lay_over(&upper.values);
        lay_over(&mut self.cookies, &upper.cookies);
        lay_over(&mut self.paths, &upper.paths);
        lay_over(&mut self.fresh, &upper.fresh);
    }

    /// The hosts that were written, in lower case and sorted.
    fn hosts(&self) -> Vec<String> {
        let Some(Value::Items(items)) = self.values.get("site.hosts").map(|found| &found.value)
        else {
            return Vec::new();
        };
        let mut hosts: Vec<String> = items
            .iter()
            .map(|(host, _)| host.to_ascii_lowercase())
            .collect();
        hosts.sort();
        hosts
    }
}

/// The same for what stands under names of the operator's own.
fn lay_over(
    lower: &mut BTreeMap<String, (Place, Values)>,
    upper: &BTreeMap<String, (Place, Values)>,
) {
    for (name, (place, values)) in upper {
        let (_, mine) = lower
            .entry(name.clone())
            .or_insert_with(|| (place.clone(), Values::default()));
        mine.lay_over(values);
    }
}

/// One entry of `[[site]]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SiteEntry {
    /// Its header; `None` for the site that flags and variables make up.
    pub(crate) place: Option<Place>,
    pub(crate) site: SiteValues,
}

/// What one source says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layer {
    pub(crate) gateway: Values,
    /// For every site.
    pub(crate) every_site: SiteValues,
    pub(crate) sites: Vec<SiteEntry>,
    /// Whether a site was written in a way that could not be read.
    pub(crate) lost_site: bool,
}

impl Layer {
    /// Lays `upper` over this one. Its values for every site go over each site;
    /// an entry of its own goes over the site with the same hosts, and is
    /// another site where there is none.
    pub(crate) fn lay_over(&mut self, upper: &Self) {
        self.gateway.lay_over(&upper.gateway);
        for entry in &upper.sites {
            let hosts = entry.site.hosts();
            let same = self
                .sites
                .iter_mut()
                .find(|mine| !hosts.is_empty() && mine.site.hosts() == hosts);
            match same {
                Some(mine) => mine.site.lay_over(&entry.site),
                None => self.sites.push(entry.clone()),
            }
        }
        if self.sites.is_empty() && !upper.every_site.is_empty() {
            self.every_site.lay_over(&upper.every_site);
        }
        for mine in &mut self.sites {
            mine.site.lay_over(&upper.every_site);
        }
    }

    /// Makes the one site that flags and variables describe, where no file
    /// names one.
    pub(crate) fn make_site(&mut self) {
        if self.sites.is_empty() {
            self.sites.push(SiteEntry {
                place: None,
                site: std::mem::take(&mut self.every_site),
            });
        }
    }
}
