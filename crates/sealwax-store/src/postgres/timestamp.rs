//! `timestamptz` on the wire: microseconds since the year 2000, as eight bytes.

use std::time::Duration;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

/// 2000-01-01 00:00:00 UTC, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;
/// The number of `timestamptz` in every server's catalogue.
const TIMESTAMPTZ: PgTypeInfo = PgTypeInfo::with_oid(Oid(1184));

/// An instant since 1970.
pub(super) struct Timestamp(pub(super) Duration);

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        TIMESTAMPTZ
    }
}

impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // The largest number is `infinity`, which is right for what lies beyond.
        let micros = i64::try_from(self.0.as_micros()).map_or(i64::MAX, |micros| micros - EPOCH);
        Encode::<Postgres>::encode(micros, buffer)
    }
}

impl Decode<'_, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("an instant came as text".into());
        }
        let micros = <i64 as Decode<Postgres>>::decode(value)?;
        let since_1970 = micros.saturating_add(EPOCH);
        // Before 1970 is long expired, as 1970 is.
        let micros = u64::try_from(since_1970).unwrap_or(0);
        Ok(Self(Duration::from_micros(micros)))
    }
}
