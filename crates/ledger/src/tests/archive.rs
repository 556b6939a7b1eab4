//! An archive has what the ledger has, and never anything else in its place.

use std::fs;
use std::path::Path;

use bailiwick_config::Archive as Settings;
use bailiwick_runtime::{EgressRules, Outbound, OutboundSettings};

use super::fixture::{Place, calls, eventually};
use crate::{Archive, ArchiveError, VerifyOptions, verify};

fn folder(path: &Path) -> Archive {
    let outbound =
        Outbound::new(OutboundSettings { rules: EgressRules::default(), ..OutboundSettings::default() });
    Archive::new(&Settings::Folder(path.to_owned()), &outbound.unwrap()).unwrap()
}

#[tokio::test]
async fn a_folder_gets_what_is_closed_once_and_keeps_it() {
    let mut place = Place::new();
    place.settings.segment_bytes = 16 << 10;
    let ledger = place.open();
    calls(&ledger, 0..100).await;
    eventually("a segment is closed", || ledger.sign().is_ok() && !ledger.closed().unwrap().is_empty());
    let path = place.root.path().join("far/archive");
    let archive = folder(&path);
    archive.claim("node.test/ledger", &place.dir()).await.unwrap();
    archive.claim("node.test/ledger", &place.dir()).await.unwrap();
    let other = archive.claim("other/ledger", &place.dir()).await.unwrap_err();
    assert!(matches!(other, ArchiveError::OtherLedger(_)), "{other}");
    let files: Vec<_> = ledger.closed().unwrap().iter().flat_map(crate::Closed::files).collect();
    for file in &files {
        assert!(matches!(archive.check(file).await, Err(ArchiveError::Missing(_))));
        archive.put(file).await.unwrap();
        archive.put(file).await.unwrap();
        archive.check(file).await.unwrap();
    }
    assert_eq!(archive.lengths().await.unwrap().len(), files.len() + 1, "nothing passing stays behind");
    // It is a ledger by itself, for whoever has the key.
    let keys = vec![ledger.verifier().clone()];
    let report = verify(&path, &VerifyOptions { keys, ..VerifyOptions::default() }).unwrap();
    assert_eq!((report.bad, report.records), (None, ledger.closed().unwrap().last().unwrap().next));
    // Something else under the name stays, and is told.
    let (file, held) = (&files[0], path.join(files[0].file_name().unwrap()));
    fs::write(&held, "something else").unwrap();
    for told in [archive.put(file).await, archive.check(file).await] {
        assert!(matches!(told, Err(ArchiveError::Different(_))), "{told:?}");
    }
    assert_eq!(fs::read_to_string(&held).unwrap(), "something else");
    assert_eq!(
        fs::read_dir(place.dir())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().ends_with("ledger.new"))
            .count(),
        0
    );
}
