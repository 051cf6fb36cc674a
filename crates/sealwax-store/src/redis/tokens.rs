//! Tokens in Redis.

use std::collections::HashMap;
use std::time::Duration;

use redis::Cmd;

use super::{Redis, drop_at, micros};
use crate::token::{join_scopes, split_scopes};
use crate::{BoxFuture, Inserted, StoreError, TokenHash, TokenRecord, TokenStore};

/// Stores a token and puts it into its subject's set, unless it is there.
/// KEYS: token, set. ARGV: hash, millisecond of expiry or "", then names and values.
const INSERT: &str = "
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
if ARGV[2] ~= '' then redis.call('PEXPIREAT', KEYS[1], ARGV[2]) end
redis.call('SADD', KEYS[2], ARGV[1])
return 1";
/// Notes a use, unless the token is gone. KEYS: token. ARGV: microsecond.
const TOUCH: &str = "
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'last_used', ARGV[1])
return 1";
/// Removes a token, and from the set of its subject. KEYS: token. ARGV: hash, the
/// beginning of the name of every set.
const REVOKE: &str = "
local subject = redis.call('HGET', KEYS[1], 'subject')
if not subject then return 0 end
redis.call('SREM', ARGV[2] .. subject, ARGV[1])
return redis.call('DEL', KEYS[1])";
/// Removes all tokens of a subject and its set; those that the server has expired do not
/// count. KEYS: set. ARGV: the beginning of the name of every token.
const REVOKE_ALL: &str = "
local revoked = 0
for _, hash in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  revoked = revoked + redis.call('DEL', ARGV[1] .. hash)
end
redis.call('DEL', KEYS[1])
return revoked";
/// All tokens of a subject; those that the server has expired leave its set.
/// KEYS: set. ARGV: the beginning of the name of every token.
const LIST: &str = "
local found = {}
for _, hash in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local token = redis.call('HGETALL', ARGV[1] .. hash)
  if #token == 0 then
    redis.call('SREM', KEYS[1], hash)
  else
    table.insert(found, {hash, token})
  end
end
return found";

const TOKEN: &str = "sealwax:token:";
const SUBJECT: &str = "sealwax:tokens:";

impl TokenStore for Redis {
    fn insert<'a>(
        &'a self,
        record: &'a TokenRecord,
    ) -> BoxFuture<'a, Result<Inserted, StoreError>> {
        Box::pin(async move {
            record.check(self.place())?;
            let hex = record.hash.to_hex();
            let expires = record.expires.map(drop_at);
            let mut command = Cmd::new();
            command
                .arg("EVAL")
                .arg(INSERT)
                .arg(2)
                .arg(format!("{TOKEN}{hex}"))
                .arg(format!("{SUBJECT}{}", record.subject))
                .arg(&hex)
                .arg(expires.map_or(String::new(), |millis| millis.to_string()))
                .arg("subject")
                .arg(&record.subject)
                .arg("scopes")
                .arg(join_scopes(&record.scopes))
                .arg("label")
                .arg(&record.label)
                .arg("created")
                .arg(micros(record.created));
            for (name, instant) in [("expires", record.expires), ("last_used", record.last_used)] {
                if let Some(instant) = instant {
                    command.arg(name).arg(micros(instant));
                }
            }
            let stored: bool = self.link.serve(&command).await?;
            Ok(if stored {
                Inserted::Yes
            } else {
                Inserted::Taken
            })
        })
    }

    fn find<'a>(
        &'a self,
        hash: &'a TokenHash,
        now: Duration,
    ) -> BoxFuture<'a, Result<Option<TokenRecord>, StoreError>> {
        Box::pin(async move {
            let mut command = Cmd::new();
            command
                .arg("HGETALL")
                .arg(format!("{TOKEN}{}", hash.to_hex()));
            let columns: HashMap<String, String> = self.link.serve(&command).await?;
            if columns.is_empty() {
                return Ok(None);
            }
            let record = self.token(*hash, &columns)?;
            let live = record.expires.is_none_or(|expires| expires > now);
            Ok(live.then_some(record))
        })
    }

    fn touch<'a>(
        &'a self,
        hash: &'a TokenHash,
        used: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let mut command = Cmd::new();
            let name = format!("{TOKEN}{}", hash.to_hex());
            command
                .arg("EVAL")
                .arg(TOUCH)
                .arg(1)
                .arg(name)
                .arg(micros(used));
            self.link.serve(&command).await
        })
    }

    fn revoke<'a>(&'a self, hash: &'a TokenHash) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let hex = hash.to_hex();
            let mut command = Cmd::new();
            let name = format!("{TOKEN}{hex}");
            command
                .arg("EVAL")
                .arg(REVOKE)
                .arg(1)
                .arg(name)
                .arg(&hex)
                .arg(SUBJECT);
            self.link.serve(&command).await
        })
    }

    fn revoke_all<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let mut command = Cmd::new();
            let name = format!("{SUBJECT}{subject}");
            command
                .arg("EVAL")
                .arg(REVOKE_ALL)
                .arg(1)
                .arg(name)
                .arg(TOKEN);
            self.link.serve(&command).await
        })
    }

    fn list<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<Vec<TokenRecord>, StoreError>> {
        Box::pin(async move {
            let mut command = Cmd::new();
            let name = format!("{SUBJECT}{subject}");
            command.arg("EVAL").arg(LIST).arg(1).arg(name).arg(TOKEN);
            let found: Vec<(String, HashMap<String, String>)> = self.link.serve(&command).await?;
            let records = found.iter().map(|(hex, columns)| {
                let hash = TokenHash::from_hex(hex).ok_or_else(|| {
                    self.corrupt("a subject's set holds something else than hashes")
                })?;
                self.token(hash, columns)
            });
            let mut records = records.collect::<Result<Vec<_>, StoreError>>()?;
            records.sort_unstable_by_key(|record| (record.created, record.hash.0));
            Ok(records)
        })
    }

    fn sweep<'a>(&'a self, _now: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        // The server does it; names of expired tokens leave a subject's set when it
        // is listed.
        Box::pin(std::future::ready(Ok(0)))
    }
}

impl Redis {
    fn token(
        &self,
        hash: TokenHash,
        columns: &HashMap<String, String>,
    ) -> Result<TokenRecord, StoreError> {
        let text = |name: &str| {
            let value = columns.get(name).map(String::as_str);
            value.ok_or_else(|| self.corrupt("a token lacks one of its fields"))
        };
        let instant = |name: &str| {
            let micros = columns
                .get(name)
                .map(|text| text.parse::<u64>())
                .transpose();
            match micros {
                Ok(micros) => Ok(micros.map(Duration::from_micros)),
                Err(_) => Err(self.corrupt("a token's time is not a number of microseconds")),
            }
        };
        Ok(TokenRecord {
            hash,
            subject: text("subject")?.to_owned(),
            scopes: split_scopes(text("scopes")?),
            label: text("label")?.to_owned(),
            created: instant("created")?.unwrap_or_default(),
            expires: instant("expires")?,
            last_used: instant("last_used")?,
        })
    }
}
