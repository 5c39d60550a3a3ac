//! `tillroll doctor`: looks at what a handheld needs, and says what to do about what is missing.

use super::CliError;
use super::output::{line, object};
use super::state::StateArgs;
use serde_json::json;
use tillroll_hardware::gpio;
use tillroll_hardware::transport::bluetooth;

struct Finding {
    what: &'static str,
    ok: bool,
    needed: bool,
    said: String,
}

fn needed(what: &'static str, found: Result<String, String>) -> Finding {
    Finding { what, ok: found.is_ok(), needed: true, said: found.unwrap_or_else(|why| why) }
}

fn useful(what: &'static str, found: Result<String, String>) -> Finding {
    Finding { needed: false, ..needed(what, found) }
}

/// Runs the command; whether everything that is needed is there.
pub async fn run(args: &StateArgs) -> Result<bool, CliError> {
    let dir = args.dir()?;
    let store = args.store();
    let enrolled = match &store {
        Ok(store) => {
            store.identity().map(|i| format!("{} of {}", i.name, i.technician_name)).map_err(|w| w.to_string())
        }
        Err(why) => Err(format!("{}: {}", why.message, why.hint)),
    };
    let database = match &store {
        Ok(store) => store.health().map(|()| "healthy".to_owned()),
        Err(_) => Err("nothing to look at yet".to_owned()),
    };
    let adapters = bluetooth::adapters().await.map(|names| names.join(", ")).map_err(|why| why.to_string());
    let findings = [
        needed(
            "state folder",
            if dir.is_dir() {
                Ok(dir.display().to_string())
            } else {
                Err(format!("{} is not there yet", dir.display()))
            },
        ),
        needed("enrolment", enrolled),
        needed("database", database),
        needed("SQLite", Ok(rusqlite::version().to_owned())),
        useful("Bluetooth", adapters),
        useful("header", gpio::board()),
    ];
    let good = findings.iter().all(|finding| finding.ok || !finding.needed);
    if args.json {
        let list = findings.iter().map(|f| json!({ "what": f.what, "ok": f.ok, "needed": f.needed, "said": f.said }));
        object(&json!({ "ok": good, "findings": list.collect::<Vec<_>>() }))?;
        return Ok(good);
    }
    for finding in &findings {
        let word = match (finding.ok, finding.needed) {
            (true, _) => "ok     ",
            (false, true) => "MISSING",
            (false, false) => "without",
        };
        line(&format!("{word}  {:<13} {}", finding.what, finding.said))?;
    }
    Ok(good)
}
