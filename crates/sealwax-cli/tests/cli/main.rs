//! The real binary, from the outside. Each test has a home and ports of its
//! own.

mod demo;
mod explain;
mod run;
mod serve;
mod support;
mod trust;
mod usage;
