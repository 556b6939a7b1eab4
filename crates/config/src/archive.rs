//! The archive of `[ledger]`: where closed segments are copied to, and how long they stay in the data directory.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::problem::Problems;
use crate::secret::{ReadFile, secret};

/// Where closed segments are copied to.
#[derive(Debug, Clone)]
pub enum Archive {
    /// A folder, absolute.
    Folder(PathBuf),
    /// A bucket that speaks S3.
    Bucket(Bucket),
}

/// A bucket that speaks S3.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What stands in front of the names of objects, without slashes around it; may be empty.
    pub prefix: String,
    /// Where it is reached; none is AWS.
    pub endpoint: Option<Url>,
    /// The region.
    pub region: String,
    /// The id of the access key.
    pub access_key: SecretString,
    /// The access key's secret.
    pub secret_key: SecretString,
}

/// How long records stay in the data directory at least; none is for ever. What of a longer class stands in a segment
/// holds the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Records of calls.
    pub calls: Option<Duration>,
    /// Records of administration: everything else.
    pub administration: Option<Duration>,
}

/// The keys of the archive as they stand in the file.
#[derive(Debug, Default)]
pub(crate) struct ArchiveKeys {
    pub(crate) place: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) access_key: (Option<String>, Option<PathBuf>),
    pub(crate) secret_key: (Option<String>, Option<PathBuf>),
}

pub(crate) fn archive(keys: ArchiveKeys, read: ReadFile<'_>, problems: &mut Problems) -> Option<Archive> {
    let (key, file) = keys.access_key;
    let access_key = secret("ledger.archive_access_key", key, file, read, problems);
    let (key, file) = keys.secret_key;
    let secret_key = secret("ledger.archive_secret_key", key, file, read, problems);
    let endpoint = keys.endpoint.and_then(|text| endpoint(&text, problems));
    let of_bucket =
        access_key.is_some() || secret_key.is_some() || endpoint.is_some() || keys.region.is_some();
    let Some(place) = keys.place else {
        if of_bucket {
            let wrong = problems.add("ledger.archive", "no bucket is named");
            wrong.help("write s3://bucket/prefix");
        }
        return None;
    };
    let Some(rest) = place.strip_prefix("s3://") else {
        if of_bucket {
            let wrong = problems.add("ledger.archive", "a folder has no endpoint, region and keys");
            wrong.help("write s3://bucket/prefix, or leave those keys out");
        }
        return folder(place, problems);
    };
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if name.is_empty() {
        problems.add("ledger.archive", "no bucket is named").help("write s3://bucket/prefix");
    }
    let (Some(access_key), Some(secret_key)) = (access_key, secret_key) else {
        let wrong = problems.add("ledger.archive", "a bucket wants an access key and its secret");
        wrong.help("set ledger.archive_access_key and ledger.archive_secret_key_file");
        return None;
    };
    Some(Archive::Bucket(Bucket {
        name: name.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
        endpoint,
        region: keys.region.unwrap_or_else(|| "us-east-1".to_owned()),
        access_key,
        secret_key,
    }))
}

fn folder(place: String, problems: &mut Problems) -> Option<Archive> {
    let path = PathBuf::from(place);
    if !path.is_absolute() {
        problems
            .add("ledger.archive", "neither an absolute path nor a bucket")
            .help("write /mnt/archive/node-1 or s3://bucket/prefix");
        return None;
    }
    Some(Archive::Folder(path))
}

fn endpoint(text: &str, problems: &mut Problems) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
    });
    if url.is_none() {
        let wrong = problems.add("ledger.archive_endpoint", "not an http or https URL of a host alone");
        wrong.help("write https://s3.corp.example");
    }
    url
}

/// How many days a record of each class stays, `all` where a class says nothing of its own.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct RetentionDays {
    pub(crate) all: Option<u32>,
    pub(crate) calls: Option<u32>,
    pub(crate) administration: Option<u32>,
}

pub(crate) fn retention(days: RetentionDays, has_archive: bool, problems: &mut Problems) -> Retention {
    for (key, value) in [
        ("ledger.retention_days", days.all),
        ("ledger.retention_calls_days", days.calls),
        ("ledger.retention_administration_days", days.administration),
    ] {
        if value == Some(0) {
            problems.add(key, "0 days").help("1 is the least; leave the key out to keep everything");
        }
        if value.is_some() && !has_archive {
            let wrong = problems.add(key, "there is no ledger.archive, and only what is archived is pruned");
            wrong.help("set ledger.archive to a folder or to s3://bucket/prefix");
        }
    }
    let duration = |days: Option<u32>| days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
    Retention {
        calls: duration(days.calls.or(days.all)),
        administration: duration(days.administration.or(days.all)),
    }
}
