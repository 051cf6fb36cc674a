//! Commands whose names are settled but which this version does not have.

use crate::exit::Failure;

pub(crate) fn refuse(command: &str, meanwhile: &str) -> Failure {
    Failure::usage(
        "",
        format!("sealwax {command} is not in this version yet"),
        meanwhile,
    )
}
