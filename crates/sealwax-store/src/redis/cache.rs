//! Django's cache in Redis.

use redis::Cmd;

use super::Redis;
use crate::cached_db::Cache;
use crate::{BoxFuture, StoreError};

impl Cache for Redis {
    fn forget<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let mut command = Cmd::new();
            command.arg("DEL").arg(key);
            self.link.serve(&command).await
        })
    }
}
