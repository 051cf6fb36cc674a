//! Log lines for people: the time, what happened, and no more.
//!
//! ```text
//! 09:34:16Z GET 200 my-shop.localhost:8443/cart 1.7 ms
//! 09:34:19Z warning: nothing listens at 127.0.0.1:8000  site=localhost
//! ```

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::terminal::Paint;

/// The events that have one line per request.
const ACCESS: &str = "sealwax::access";

/// What such a line is made of, in the words of the gateway.
const ACCESS_FIELDS: [&str; 5] = ["method", "status", "host", "path", "micros"];

#[derive(Debug, Clone, Copy)]
pub(crate) struct Human {
    pub(crate) paint: Paint,
}

impl<S, N> FormatEvent<S, N> for Human
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        write!(out, "{} ", self.paint.dim(time_of_day()))?;
        let access = if event.metadata().target() == ACCESS {
            fields.access()
        } else {
            None
        };
        match access {
            Some(line) => writeln!(out, "{line}"),
            None => self.sentence(out, *event.metadata().level(), &fields),
        }
    }
}

impl Human {
    fn sentence(self, mut out: Writer<'_>, level: Level, fields: &Fields) -> fmt::Result {
        match level {
            Level::ERROR => write!(out, "{}: ", self.paint.red("error"))?,
            Level::WARN => write!(out, "{}: ", self.paint.yellow("warning"))?,
            Level::INFO => {}
            level => write!(
                out,
                "{}: ",
                self.paint.dim(level.as_str().to_ascii_lowercase())
            )?,
        }
        out.write_str(fields.value("message").unwrap_or_default())?;
        for (name, value) in fields.0.iter().filter(|(name, _)| *name != "message") {
            write!(out, "  {}", self.paint.dim(format_args!("{name}={value}")))?;
        }
        out.write_char('\n')
    }
}

/// Hours, minutes and seconds, UTC: on a terminal the date is known.
fn time_of_day() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let (hours, minutes, seconds) = (since / 3600 % 24, since / 60 % 60, since % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}Z")
}

/// The fields of an event as text that cannot steer a terminal.
#[derive(Debug, Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value.as_str())
    }

    /// None where the event has other fields than expected; it is then shown
    /// like any other.
    fn access(&self) -> Option<String> {
        let [method, status, host, path, micros] = ACCESS_FIELDS.map(|name| self.value(name));
        let micros: u64 = micros?.parse().ok()?;
        let (whole, tenth) = (micros / 1000, micros % 1000 / 100);
        Some(format!(
            "{} {} {}{} {whole}.{tenth} ms",
            method?, status?, host?, path?
        ))
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let mut text = String::with_capacity(value.len());
        for letter in value.chars() {
            if letter.is_control() {
                text.extend(letter.escape_default());
            } else {
                text.push(letter);
            }
        }
        self.0.push((field.name(), text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(log: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .event_format(Human {
                paint: Paint::off(),
            })
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        let line = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.len() == 9 && time.ends_with('Z'), "{line}");
        rest.to_owned()
    }

    #[test]
    fn a_request_is_one_short_line() {
        let line = logged(|| {
            tracing::info!(target: "sealwax::access", method = "GET", host = "a.test:8443", path = "/x?\u{1b}[2J", status = 200, micros = 1690);
        });
        assert_eq!(line, "GET 200 a.test:8443/x?\\u{1b}[2J 1.6 ms\n");
    }

    #[test]
    fn what_else_happens_is_a_sentence() {
        let line = logged(
            || tracing::warn!(target: "sealwax", site = "localhost", "nothing listens\n{}", "there"),
        );
        assert_eq!(line, "warning: nothing listens\\nthere  site=localhost\n");
        let odd = logged(|| tracing::info!(target: "sealwax::access", method = "GET", "odd"));
        assert_eq!(odd, "odd  method=GET\n");
    }
}
