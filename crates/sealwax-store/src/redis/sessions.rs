//! Sessions in Redis.

use std::sync::Arc;
use std::time::Duration;

use redis::Cmd;

use super::{Redis, drop_at, micros};
use crate::{BoxFuture, Created, Record, Saved, SessionKey, SessionStore, StoreError};

impl SessionStore for Redis {
    fn load<'a>(
        &'a self,
        key: &'a SessionKey,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let mut command = Cmd::new();
            command.arg("GET").arg(name(key));
            let Some(value) = self.link.serve::<Option<String>>(&command).await? else {
                return Ok(None);
            };
            let record = record(&value)
                .ok_or_else(|| self.corrupt("a session's value has no microseconds in front"))?;
            // The server counts in milliseconds, and with its own clock.
            Ok((record.expires > now).then_some(record))
        })
    }

    fn create<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        Box::pin(async move {
            Ok(match self.set(key, &record, "NX").await? {
                true => Created::Yes,
                false => Created::Taken,
            })
        })
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        record: Record,
    ) -> BoxFuture<'a, Result<Saved, StoreError>> {
        Box::pin(async move {
            Ok(match self.set(key, &record, "XX").await? {
                true => Saved::Yes,
                false => Saved::Gone,
            })
        })
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let mut command = Cmd::new();
            command.arg("DEL").arg(name(key));
            self.link.serve(&command).await
        })
    }

    fn sweep<'a>(&'a self, _now: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        // The server does it.
        Box::pin(std::future::ready(Ok(0)))
    }
}

impl Redis {
    /// `condition` is NX (only when absent) or XX (only when present).
    async fn set(
        &self,
        key: &SessionKey,
        record: &Record,
        condition: &str,
    ) -> Result<bool, StoreError> {
        let micros = micros(record.expires);
        let mut command = Cmd::new();
        command
            .arg("SET")
            .arg(name(key))
            .arg(format!("{micros} {}", record.data))
            .arg(condition)
            .arg("PXAT")
            .arg(drop_at(record.expires));
        let answer: Option<String> = self.link.serve(&command).await?;
        Ok(answer.is_some())
    }
}

fn name(key: &SessionKey) -> String {
    format!("sealwax:session:{}", key.as_str())
}

fn record(value: &str) -> Option<Record> {
    let (micros, data) = value.split_once(' ')?;
    let micros: u64 = micros.parse().ok()?;
    Some(Record {
        data: Arc::from(data),
        expires: Duration::from_micros(micros),
    })
}
