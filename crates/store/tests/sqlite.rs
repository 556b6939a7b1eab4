//! The conformance suite on SQLite, and what only SQLite has: a file.
#![expect(clippy::unwrap_used, reason = "the suite's cases are tests without the attribute")]

mod suite;
mod support {
    pub(crate) mod database;
}

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bailiwick_store::{
    IndexBatch, IndexFilter, IndexPosition, LedgerIndex, Location, NewRecord, Store, StoreError, copy_sqlite,
};
use support::database::TestDatabase;

suite::conformance!();

/// A new file in a folder of its own, which is left to the system's cleaning of temporary files if the test
/// fails.
async fn database() -> Option<(TestDatabase, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let db = TestDatabase::at(Location::Sqlite(folder.path().join(FILE))).await;
    Some((db, folder))
}

const FILE: &str = "bailiwick.db";

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_file_and_those_beside_it_are_for_their_owner_alone() {
    let (db, folder) = database().await.unwrap();
    let mut tx = db.store.begin().await.unwrap();
    tx.settings().put("a", "b").await.unwrap();
    tx.commit().await.unwrap();

    let files: Vec<PathBuf> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "the file, -wal and -shm: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_file_that_others_could_read_is_taken_from_them() {
    let (db, folder) = database().await.unwrap();
    db.store.close().await;
    let path = folder.path().join(FILE);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();

    db.open().await.unwrap();

    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn a_newer_file_is_refused_and_stays_byte_for_byte() {
    let (db, folder) = database().await.unwrap();
    suite::schema::plant_newer(&db).await;
    db.store.close().await;
    // Not in WAL mode, so that a switch to it would show.
    db.raw("PRAGMA journal_mode = DELETE").await;
    let before = std::fs::read(folder.path().join(FILE)).unwrap();

    let refused = db.open().await;

    assert!(matches!(refused, Err(StoreError::SchemaTooNew { .. })), "{refused:?}");
    assert_eq!(std::fs::read(folder.path().join(FILE)).unwrap(), before);
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_a_file_error() {
    let folder = tempfile::tempdir().unwrap();
    let result = Store::open(Location::Sqlite(folder.path().join("absent/bailiwick.db"))).await;
    assert!(matches!(result, Err(StoreError::File(_))), "{result:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "these are my notes, and I want to keep them ".repeat(50);
    std::fs::write(&path, &text).unwrap();

    let result = Store::open(Location::Sqlite(path.clone())).await;

    assert!(result.is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn an_empty_file_is_taken_for_a_new_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    std::fs::write(&path, "").unwrap();
    let store = Store::open(Location::Sqlite(path)).await.unwrap();
    assert!(store.load_all().await.unwrap().teams.is_empty());
}

const INDEX: &str = "ledger-index.db";
const LEDGER: &str = "bailiwick-ledger/0123456789abcdef";

async fn index_of_some_calls(index: &LedgerIndex) {
    let record = |n| NewRecord { record: suite::ledger_index::call(n), ..NewRecord::default() };
    let batch = IndexBatch { records: (0..500).map(record).collect(), endings: Vec::new() };
    index.write(LEDGER, &batch, &IndexPosition { next: 500, last: [1; 32] }).await.unwrap();
}

#[tokio::test]
async fn a_ledger_s_index_that_is_damaged_or_gone_is_noticed_and_made_anew() {
    let (db, folder) = database().await.unwrap();
    let path = folder.path().join(INDEX);
    let damage: [fn(&Path); 3] = [
        |path| std::fs::remove_file(path).unwrap(),
        |path| std::fs::write(path, "no database ".repeat(1_000)).unwrap(),
        |path| {
            let mut bytes = std::fs::read(path).unwrap();
            let length = bytes.len();
            bytes[4_096..length - 4_096].fill(0x5a);
            std::fs::write(path, bytes).unwrap();
        },
    ];
    for (round, damage) in damage.into_iter().enumerate() {
        let index = db.ledger_index();
        index_of_some_calls(&index).await;
        assert!(!index.is_lost().await);
        assert_eq!(mode(&path), 0o600);
        index.close().await;
        damage(&path);
        if let Err(error) = index.position(LEDGER).await {
            assert!(index.is_to_be_made_anew(&error), "{round}: {error:?}");
        } else if let Err(error) = index.find(&IndexFilter::default(), None, 500).await {
            assert!(index.is_to_be_made_anew(&error), "{round}: {error:?}");
            assert!(index.is_lost().await);
        } else {
            assert_eq!(index.position(LEDGER).await.unwrap(), None, "{round}: it is gone");
        }
        index.forget(LEDGER).await.unwrap();
        assert!(!index.is_lost().await);
        index_of_some_calls(&index).await;
        assert_eq!(index.find(&IndexFilter::default(), None, 100).await.unwrap().records.len(), 100);
        // Under the feet of the one that has it open.
        std::fs::remove_file(&path).unwrap();
        assert!(index.is_lost().await);
        index.forget(LEDGER).await.unwrap();
    }
    assert!(db.store.load_all().await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of work, for figures"]
async fn many_records() {
    let (db, _folder) = database().await.unwrap();
    let kept =
        std::env::var_os("BAILIWICK_INDEX_FILE").map(|file| LedgerIndex::beside(&db.store, file.into()));
    let kept = kept.unwrap_or_else(|| db.ledger_index());
    suite::measure::many_records(kept).await;
}

#[tokio::test]
async fn a_copy_is_of_one_moment_while_others_write() {
    let (db, folder) = database().await.unwrap();
    suite::fixture::populate(&db.store).await;
    // A writer in the middle of its work holds nobody up, and nothing of it is in the copy.
    let mut tx = db.store.begin().await.unwrap();
    tx.settings().put("half", "done").await.unwrap();
    let to = folder.path().join("copy.db");

    let rows = copy_sqlite(&folder.path().join(FILE), &to).await.unwrap();

    tx.commit().await.unwrap();
    assert_eq!((rows["principals"], rows["settings"], rows["generation"]), (3, 0, 1));
    assert_eq!(mode(&to), 0o600);
    let copy = Store::open(Location::Sqlite(to.clone())).await.unwrap();
    let (copied, source) = (copy.load_all().await.unwrap(), db.store.load_all().await.unwrap());
    assert_eq!(
        (copied.generation, copied.principals, copied.grants),
        (source.generation, source.principals, source.grants)
    );
    let again = copy_sqlite(&folder.path().join(FILE), &to).await;
    assert!(matches!(again, Err(StoreError::File(_))), "nothing is written over: {again:?}");
}

#[tokio::test]
async fn of_a_destroyed_key_for_bodies_no_byte_is_in_any_file() {
    use bailiwick_model::body_key::{BodyKey, Destroyed};
    use bailiwick_model::{BodyKeyId, PrincipalId, RetentionClass};

    let (db, folder) = database().await.unwrap();
    let text = "wrapped-key-that-is-to-be-destroyed-wrapped-key-that-is-to-be";
    let held = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|file| memmem(&std::fs::read(file).unwrap(), text.as_bytes())).count()
    };
    let mut keys = Vec::new();
    for n in 1..=40 {
        keys.push(BodyKey {
            id: BodyKeyId::from_bits(n),
            principal: PrincipalId::from_bits(n),
            class: RetentionClass::default(),
            created_at: suite::fixture::NOW,
            destroyed: None,
        });
    }
    let sealed = bailiwick_store::Sealed(text.as_bytes().to_vec());
    suite::fixture::commit(&db.store, async |tx| {
        for key in &keys {
            tx.body_keys().insert(key, &sealed).await?;
        }
        Ok(())
    })
    .await;
    assert!(db.store.scrub().await.unwrap());
    assert_eq!(held(), 1, "it is in the file while it is in use");

    let how = Destroyed { at: suite::fixture::NOW, by: None, reason: "r".into() };
    suite::fixture::commit(&db.store, async |tx| {
        for key in &keys {
            tx.body_keys().destroy(key, &how).await?;
        }
        Ok(())
    })
    .await;
    assert!(db.store.scrub().await.unwrap());
    assert_eq!(held(), 0);
}

fn memmem(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
