//! Sessions in a real store.

use std::io;
use std::time::Duration;

use sealwax_store::{Created, Memory, Record, Saved, SessionKey, SessionStore as _, StoreError};
use serde_json::{Value, json};

use crate::wire::{Answer, Args, Failure};

pub(crate) struct Store {
    memory: Memory,
    runtime: tokio::runtime::Runtime,
}

impl Store {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            memory: Memory::new(),
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
        })
    }

    pub(crate) fn reset(&mut self) -> Answer {
        self.memory = Memory::new();
        Ok(Value::Null)
    }

    pub(crate) fn new_key(&self) -> Answer {
        Ok(json!(SessionKey::generate(random()?).as_str()))
    }

    /// Whether there is a row, expired or not.
    pub(crate) fn exists(&self, args: &Args<'_>) -> Answer {
        let found = self.find(args, Duration::ZERO)?;
        Ok(json!(found.is_some()))
    }

    pub(crate) fn load(&self, args: &Args<'_>) -> Answer {
        let found = self.find(args, args.seconds("now")?)?;
        Ok(found.map_or(Value::Null, |record| json!(&*record.data)))
    }

    pub(crate) fn save(&self, args: &Args<'_>) -> Answer {
        let key = SessionKey::parse(args.text("key")?).map_err(Failure::bug)?;
        let record = Record {
            data: args.text("data")?.into(),
            expires: args.seconds("expires")?,
        };
        if args.flag("must_create") {
            match self.wait(self.memory.create(&key, record))? {
                Created::Yes => Ok(Value::Null),
                Created::Taken => Err(Failure::new("CreateError", "the key is taken")),
            }
        } else {
            match self.wait(self.memory.save(&key, record))? {
                Saved::Yes => Ok(Value::Null),
                Saved::Gone => Err(Failure::new("UpdateError", "there is no such session")),
            }
        }
    }

    pub(crate) fn delete(&self, args: &Args<'_>) -> Answer {
        if let Some(key) = key(args) {
            self.wait(self.memory.delete(&key))?;
        }
        Ok(Value::Null)
    }

    fn find(&self, args: &Args<'_>, now: Duration) -> Result<Option<Record>, Failure> {
        match key(args) {
            Some(key) => self.wait(self.memory.load(&key, now)),
            None => Ok(None),
        }
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, Failure> {
        self.runtime.block_on(work).map_err(Failure::bug)
    }
}

/// `None` for what no store can have as a key.
fn key(args: &Args<'_>) -> Option<SessionKey> {
    SessionKey::parse(args.optional_text("key")?).ok()
}

/// 32 bytes from the operating system.
pub(crate) fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(Failure::bug)?;
    Ok(bytes)
}
