//! `sealwax trust`: the local certificate authority in this machine's stores.
//!
//! Exit codes: `install` 0 when a store trusts the authority now and none
//! failed, else 2; `uninstall` 0 when no store trusts it any more, else 2;
//! `status` 0 when a store trusts it, 1 when none does, 2 when a look failed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use sealwax_cert::LocalAuthority;
use sealwax_cert::trust::{self, Machine, Outcome, Purpose, Report, Root};

use crate::args::{self, PlanOnly, TrustAction};
use crate::exit::{Failure, UNABLE};
use crate::home;
use crate::terminal::{self, Paint};

/// `status` found no store that trusts the authority.
const NOT_TRUSTED: u8 = 1;

pub(crate) fn run(args: args::Trust) -> Result<ExitCode, Failure> {
    match args.action {
        TrustAction::Install(options) => install(options),
        TrustAction::Uninstall(options) => uninstall(options),
        TrustAction::Status => status(),
        TrustAction::Path => path(),
    }
}

/// Where the local authority is kept, below the home directory.
pub(crate) fn authority_directory(home: &Path) -> PathBuf {
    home.join("ca")
}

/// Whether some store of this machine trusts the local authority.
pub(crate) fn is_trusted(home: &Path) -> bool {
    let Ok(Some(authority)) = LocalAuthority::open(&authority_directory(home)) else {
        return false;
    };
    let Ok(root) = Root::try_from(&authority) else {
        return false;
    };
    let machine = Machine::detect();
    trust::execute(&trust::plan_status(&machine, &root), &machine).trusted_somewhere()
}

fn install(options: PlanOnly) -> Result<ExitCode, Failure> {
    let root = root(&authority()?)?;
    let machine = Machine::detect();
    let plan = trust::plan_install(&machine, &root);
    if options.print_plan {
        terminal::print(&plan.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    terminal::print(&format!("{root}\n\n{plan}\n"))?;
    let report = trust::execute(&plan, &machine);
    terminal::print(&table(&report, Paint::for_stdout()))?;
    let done = report.trusted_somewhere() && !report.failed();
    if report.trusted_somewhere() {
        terminal::print("\nBrowsers that are open take it in when they are started anew.\n")?;
    }
    Ok(if done {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(UNABLE)
    })
}

fn uninstall(options: PlanOnly) -> Result<ExitCode, Failure> {
    let Some(authority) = existing()? else {
        return nothing_yet();
    };
    let root = root(&authority)?;
    let machine = Machine::detect();
    let plan = trust::plan_uninstall(&machine, &root);
    if options.print_plan {
        terminal::print(&plan.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    terminal::print(&format!("{root}\n\n{plan}\n"))?;
    let report = trust::execute(&plan, &machine);
    terminal::print(&table(&report, Paint::for_stdout()))?;
    // A store that was skipped may trust it still: ask them all again.
    let after = trust::execute(&trust::plan_status(&machine, &root), &machine);
    let gone = !after.trusted_somewhere() && !after.failed() && !report.failed();
    Ok(if gone {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(UNABLE)
    })
}

fn status() -> Result<ExitCode, Failure> {
    let Some(authority) = existing()? else {
        nothing_yet()?;
        return Ok(ExitCode::from(NOT_TRUSTED));
    };
    let root = root(&authority)?;
    let machine = Machine::detect();
    let report = trust::execute(&trust::plan_status(&machine, &root), &machine);
    terminal::print(&format!(
        "{root}\n\n{}",
        table(&report, Paint::for_stdout())
    ))?;
    Ok(match (report.trusted_somewhere(), report.failed()) {
        (true, _) => ExitCode::SUCCESS,
        (false, false) => ExitCode::from(NOT_TRUSTED),
        (false, true) => ExitCode::from(UNABLE),
    })
}

fn path() -> Result<ExitCode, Failure> {
    terminal::print(&format!("{}\n", authority()?.root_path().display()))?;
    Ok(ExitCode::SUCCESS)
}

fn nothing_yet() -> Result<ExitCode, Failure> {
    terminal::print(
        "There is no local certificate authority yet; `sealwax trust install` makes one.\n",
    )?;
    Ok(ExitCode::SUCCESS)
}

fn authority() -> Result<LocalAuthority, Failure> {
    let directory = authority_directory(&home::directory()?);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    // Unix time fits an i64 for the next 292 billion years.
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    LocalAuthority::open_or_create(&directory, now).map_err(|error| unusable(&error))
}

fn existing() -> Result<Option<LocalAuthority>, Failure> {
    LocalAuthority::open(&authority_directory(&home::directory()?))
        .map_err(|error| unusable(&error))
}

fn unusable(error: &sealwax_cert::LocalError) -> Failure {
    Failure::unable(error.place(), error.cause(), error.mend())
}

fn root(authority: &LocalAuthority) -> Result<Root, Failure> {
    Root::try_from(authority).map_err(|error| Failure::unable("", error.to_string(), ""))
}

/// One line for each store, with what would help under it.
fn table(report: &Report, paint: Paint) -> String {
    if report.stores.is_empty() {
        return "No trust store was found on this machine.\n".to_owned();
    }
    let rows: Vec<(String, Row)> = report
        .stores
        .iter()
        .map(|(store, outcome)| (store.to_string(), row(outcome, report.purpose)))
        .collect();
    let width = rows
        .iter()
        .map(|(store, _)| store.chars().count())
        .max()
        .unwrap_or_default();
    let mut out = String::new();
    for (store, row) in rows {
        let text = match row.mark {
            '✓' => paint.green(row.text),
            '✗' => paint.red(row.text),
            _ => paint.yellow(row.text),
        };
        out.push_str(&format!("  {} {store:width$}  {text}\n", row.mark));
        if !row.mend.is_empty() {
            out.push_str(&format!("    {}\n", paint.dim(row.mend)));
        }
    }
    out
}

struct Row {
    mark: char,
    text: String,
    mend: String,
}

fn row(outcome: &Outcome, purpose: Purpose) -> Row {
    let row = |mark, text: &str| Row {
        mark,
        text: text.to_owned(),
        mend: String::new(),
    };
    match outcome {
        Outcome::Installed => row('✓', "installed"),
        Outcome::AlreadyThere if purpose == Purpose::Status => row('✓', "trusted"),
        Outcome::AlreadyThere => row('✓', "was trusted already"),
        Outcome::Removed => row('✓', "removed"),
        Outcome::NotThere if purpose == Purpose::Status => row('-', "not trusted"),
        Outcome::NotThere => row('✓', "was not there"),
        Outcome::Failed { cause, mend } => Row {
            mark: '✗',
            text: format!("failed: {cause}"),
            mend: mend.clone(),
        },
        Outcome::Skipped { why, mend } => Row {
            mark: '-',
            text: format!("skipped: {why}"),
            mend: mend.clone(),
        },
        _ => row('-', "unknown"),
    }
}
