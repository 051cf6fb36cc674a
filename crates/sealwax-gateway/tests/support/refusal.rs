//! What the sources included here know of `crate::error`.

/// As in the crate.
#[allow(dead_code, reason = "only whether there is one matters here")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal {
    pub(crate) id: &'static str,
    pub(crate) sentence: &'static str,
    pub(crate) status: http::StatusCode,
}
