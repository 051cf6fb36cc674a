//! The apps of one site, as one worker holds them: one for all paths, and others
//! for parts of them.

use sealwax_config::PathApp;

use crate::live::Site;
use crate::upstream::{Group, Peers};

/// A site's apps.
pub(crate) struct Apps {
    all: Group,
    /// The longest path first.
    parts: Vec<(PathApp, Group)>,
}

impl Apps {
    pub(crate) fn of(site: &Site, peers: &Peers) -> Self {
        let part = |part: &PathApp| (part.clone(), peers.group(&part.upstreams));
        Self {
            all: peers.group(&site.upstreams),
            parts: site.paths.iter().map(part).collect(),
        }
    }

    /// The app for `path`, as the client sent it.
    pub(crate) fn of_path(&self, path: &str) -> &Group {
        let part = self.parts.iter().find(|(part, _)| part.serves(path));
        part.map_or(&self.all, |(_, group)| group)
    }
}
