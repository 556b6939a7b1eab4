//! Which eras a server speaks (spec 2026-07-28 basic/versioning): `server/discover` for the modern one, `initialize` for
//! each legacy one. Never a call: a server that takes a modern request for a legacy one might run it.

use std::time::Duration;

use bailiwick_mcp::{Era, member};
use bytes::Bytes;

use super::{Asker, conversation};
use crate::upstream::Upstream;
use crate::{UpstreamError, wire};

/// How long a server may think about a question that it may never have heard of.
const PROBE: Duration = Duration::from_secs(10);

/// The eras, newest first, and what the server says of itself in the newest.
///
/// They are remembered until the server fails; then the newest alone is asked.
pub(super) async fn eras(upstream: &Upstream) -> Result<(Vec<Era>, Bytes), UpstreamError> {
    let known = upstream.eras();
    if let Some(newest) = known.first() {
        match hello(upstream, *newest).await {
            Ok(hello) => return Ok((known, hello)),
            Err(error) if error.is_failure() || matches!(error, UpstreamError::Refused) => return Err(error),
            // It became another one.
            Err(_) => upstream.forget_eras(),
        }
    }
    let (eras, hello) = probe(upstream).await?;
    upstream.remember_eras(&eras);
    Ok((eras, hello))
}

async fn hello(upstream: &Upstream, era: Era) -> Result<Bytes, UpstreamError> {
    let conversation = conversation(upstream, era);
    if era.is_modern() {
        let asker = Asker { upstream, conversation };
        let hello = asker.ask("server/discover", None).await?;
        return if offers(&hello, era) { Ok(hello) } else { Err(OTHER) };
    }
    let hello = upstream.hello(&conversation).await?;
    let agreed = wire::agreed_era(&hello);
    if agreed == Some(era) { Ok(hello) } else { Err(OTHER) }
}

const OTHER: UpstreamError = UpstreamError::Invalid("it does not speak this version");

/// Whether a `server/discover` result names the era.
fn offers(hello: &Bytes, era: Era) -> bool {
    let versions =
        std::str::from_utf8(hello).ok().and_then(|text| member(text, "supportedVersions").ok().flatten());
    let versions = versions.and_then(|versions| versions.items().ok()).unwrap_or_default();
    versions.iter().any(|version| version.string().as_deref() == Some(era.as_str()))
}

async fn probe(upstream: &Upstream) -> Result<(Vec<Era>, Bytes), UpstreamError> {
    let mut found: Option<(Vec<Era>, Bytes)> = None;
    let mut last = UpstreamError::Invalid("it speaks no protocol version that the gateway knows");
    for era in Era::SUPPORTED {
        // A session that its predecessor opened would answer for it.
        upstream.retire(&conversation(upstream, era)).await;
        let asked = tokio::time::timeout(PROBE, hello(upstream, era));
        match asked.await.unwrap_or(Err(UpstreamError::Timeout("it does not answer questions about itself")))
        {
            Ok(hello) => found.get_or_insert_with(|| (Vec::new(), hello)).0.push(era),
            Err(error) => {
                upstream.retire(&conversation(upstream, era)).await;
                // Whom nobody reaches need not be asked four times.
                let hopeless = found.is_none()
                    && matches!(error, UpstreamError::Unreachable(_) | UpstreamError::Refused);
                last = error;
                if hopeless {
                    break;
                }
            }
        }
    }
    let (eras, hello) = found.ok_or(last)?;
    for era in eras.iter().skip(1) {
        upstream.retire(&conversation(upstream, *era)).await;
    }
    Ok((eras, hello))
}
