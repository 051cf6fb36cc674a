//! Expired sessions, removed now and then.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::MissedTickBehavior;

use super::Shared;

/// The shortest period: a sweep looks through the whole table.
const SHORTEST: Duration = Duration::from_secs(1);

pub(super) fn spawn(shared: &Arc<Shared>, period: Duration) {
    let Ok(runtime) = Handle::try_current() else {
        tracing::warn!(target: "sealwax", "SessionLayer::sweep_every was called outside a tokio runtime, so nothing is swept; call it in async code");
        return;
    };
    let shared = Arc::downgrade(shared);
    runtime.spawn(sweep(shared, period.max(SHORTEST)));
}

/// Ends when nobody has the layer any more.
async fn sweep(shared: Weak<Shared>, period: Duration) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        match shared.store.sweep(shared.world.now()).await {
            Ok(0) => {}
            Ok(swept) => {
                tracing::debug!(target: "sealwax", swept, "expired sessions were removed");
            }
            Err(error) => {
                tracing::warn!(target: "sealwax", %error, "expired sessions could not be removed; the next sweep tries again");
            }
        }
    }
}
