//! An archive in a bucket that speaks S3. Small objects are written in one request that the bucket refuses if there is
//! something under the name; long ones in parts, so that never more than one part of them is in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bailiwick_runtime::Outbound;
use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, RetryConfig};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use super::connector::ByOutbound;
use super::{ArchiveError, at};
use crate::Hash;

/// What is written in one request, and one part of what is not: S3 takes no smaller parts than 5 MiB.
const PART: usize = 8 << 20;

/// How often a request is tried again at once; after that the archive is tried again as a whole.
const AGAIN: RetryConfig = RetryConfig {
    backoff: object_store::BackoffConfig {
        init_backoff: Duration::from_millis(200),
        max_backoff: Duration::from_secs(2),
        base: 2.0,
    },
    max_retries: 2,
    retry_timeout: Duration::from_secs(20),
};

#[derive(Debug)]
pub(super) struct Bucket {
    store: AmazonS3,
    prefix: String,
}

impl Bucket {
    pub(super) fn new(
        settings: &bailiwick_config::Bucket,
        outbound: &Outbound,
    ) -> Result<Self, ArchiveError> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&settings.name)
            .with_region(&settings.region)
            .with_access_key_id(settings.access_key.expose_secret())
            .with_secret_access_key(settings.secret_key.expose_secret())
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_retry(AGAIN)
            .with_http_connector(ByOutbound(outbound.clone()));
        if let Some(endpoint) = &settings.endpoint {
            let plain = endpoint.scheme() == "http";
            builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/')).with_allow_http(plain);
        }
        Ok(Self { store: builder.build()?, prefix: settings.prefix.clone() })
    }

    fn object(&self, name: &str) -> object_store::path::Path {
        object_store::path::Path::from(format!("{}/{name}", self.prefix))
    }

    pub(super) async fn lengths(&self) -> Result<BTreeMap<String, u64>, ArchiveError> {
        let prefix = object_store::path::Path::from(self.prefix.as_str());
        let mut listed = self.store.list(Some(&prefix));
        let mut found = BTreeMap::new();
        while let Some(object) = listed.try_next().await? {
            found.extend(object.location.filename().map(|name| (name.to_owned(), object.size)));
        }
        Ok(found)
    }

    pub(super) async fn write(&self, name: &str, from: &Path) -> Result<(), ArchiveError> {
        let mut file = tokio::fs::File::open(from).await.map_err(at(from))?;
        let object = self.object(name);
        let first = part(&mut file).await.map_err(at(from))?;
        if first.len() < PART {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            return match self.store.put_opts(&object, first.into(), options).await {
                // What is there is compared afterwards.
                Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        let mut upload = self.store.put_multipart(&object).await?;
        let mut next = first;
        while !next.is_empty() {
            if let Err(error) = upload.put_part(next.into()).await {
                // Parts of it would stay and cost money; that they cannot be removed either is no news.
                let _away = upload.abort().await;
                return Err(error.into());
            }
            next = part(&mut file).await.map_err(at(from))?;
        }
        upload.complete().await?;
        Ok(())
    }

    pub(super) async fn read(
        &self,
        name: &str,
        wanted: bool,
    ) -> Result<Option<(Vec<u8>, Hash)>, ArchiveError> {
        let found = match self.store.get(&self.object(name)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found?,
        };
        let (mut hasher, mut bytes) = (Sha256::new(), Vec::new());
        let mut stream = found.into_stream();
        while let Some(chunk) = stream.try_next().await? {
            hasher.update(&chunk);
            if wanted {
                bytes.extend_from_slice(&chunk);
            }
        }
        Ok(Some((bytes, Hash(hasher.finalize().into()))))
    }
}

/// The next part of a file; shorter at its end.
async fn part(file: &mut tokio::fs::File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(PART as u64).read_to_end(&mut bytes).await?;
    Ok(bytes)
}
