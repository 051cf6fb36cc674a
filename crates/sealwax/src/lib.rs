//! (being written)
#![allow(dead_code, unused_imports)]
mod arrival;
mod body;
mod record;
mod refusal;
mod seal;
mod settings;
mod world;

pub use arrival::{Arrival, Transport};
pub use body::{RequestBody, ResponseBody};
pub use record::Record;
pub use seal::{SealFuture, SealLayer, SealService};
pub use settings::{
    LegacySalt, Mistake, Mistakes, Mode, SameSite, Secret, Setting, Settings, TokenRule, Warning,
};
pub use world::NoRandomness;
