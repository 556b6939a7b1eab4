//! Every way to tamper with a ledger that SECURITY.md's "Ledger" names, on one of several segments, in one table.

use std::fs;
use std::path::{Path, PathBuf};

use super::fixture::{Place, calls, eventually};
use crate::keys::{Signer, tests::signer};
use crate::segment::{Segment, list};
use crate::{Fault, SignedCheckpoint, VerifierKey, VerifyOptions, leaf_hash, notes, verify};

/// A true ledger, what was kept of it elsewhere, and copies to tamper with.
struct Original {
    place: Place,
    key: VerifierKey,
    saved: SignedCheckpoint,
}

/// A copy.
struct Copy {
    root: tempfile::TempDir,
}

/// What the auditor has beside the ledger's directory.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kept {
    Nothing,
    Key,
    Checkpoint,
}

async fn original() -> Original {
    let mut place = Place::new();
    place.settings.segment_bytes = 2048;
    let ledger = place.open();
    for batch in 0..4 {
        calls(&ledger, batch * 10..batch * 10 + 10).await;
        eventually("another segment", || ledger.status().unwrap().segments as u128 > batch + 1);
    }
    // Too few to turn to yet another.
    calls(&ledger, 40..42).await;
    let key = ledger.verifier().clone();
    ledger.close().unwrap();
    let saved =
        SignedCheckpoint::parse(&fs::read_to_string(place.dir().join("checkpoint")).unwrap()).unwrap();
    assert_eq!(saved.checkpoint().size, 84);
    Original { place, key, saved }
}

impl Original {
    fn copy(&self) -> Copy {
        let root = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(self.place.dir()).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, root.path().join(from.file_name().unwrap())).unwrap();
        }
        Copy { root }
    }

    fn found(&self, copy: &Copy, kept: Kept) -> Option<(u64, Fault)> {
        let options = VerifyOptions {
            saved: Some(self.saved.clone()).filter(|_| kept == Kept::Checkpoint),
            keys: Some(self.key.clone()).filter(|_| kept == Kept::Key).into_iter().collect(),
            ..VerifyOptions::default()
        };
        verify(copy.root.path(), &options).unwrap().bad.map(|bad| (bad.index, bad.fault))
    }
}

impl Copy {
    fn segments(&self) -> Vec<Segment> {
        list(self.root.path()).unwrap()
    }

    /// The first index of the nth segment.
    fn first(&self, nth: usize) -> u64 {
        self.segments()[nth].first
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Changes the lines of the nth segment.
    fn lines(&self, nth: usize, change: impl FnOnce(&mut Vec<String>)) {
        let path = &self.segments()[nth].path;
        let text = fs::read_to_string(path).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        change(&mut lines);
        fs::write(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }

    /// Makes every link fit again and takes the seals away, as a forger would who knows the format.
    fn relink(&self) {
        let mut link = "0".repeat(16);
        for (nth, segment) in self.segments().iter().enumerate() {
            self.lines(nth, |lines| {
                for line in lines {
                    let at = line.find("\"prev\":\"").unwrap() + 8;
                    line.replace_range(at..at + 16, &link);
                    link = leaf_hash(line.as_bytes()).to_string()[..16].to_owned();
                }
            });
            if segment.seal().exists() {
                fs::remove_file(segment.seal()).unwrap();
            }
        }
    }

    /// Signs all checkpoints anew with another key, and puts that in the place of the ledger's.
    fn sign_anew(&self, key: &Signer) {
        let anew = |note: &SignedCheckpoint| note.checkpoint().clone().sign([key]).to_string();
        for segment in self.segments() {
            let found = notes::read(&segment).unwrap().unwrap().notes;
            fs::write(segment.notes(), found.iter().map(anew).collect::<String>()).unwrap();
        }
        let newest = SignedCheckpoint::parse(&fs::read_to_string(self.file("checkpoint")).unwrap()).unwrap();
        fs::write(self.file("checkpoint"), anew(&newest)).unwrap();
        fs::write(self.file("checkpoint.pub"), format!("{}\n", key.verifier())).unwrap();
    }

    /// Takes the last segment away with all that tells of it.
    fn forget_last(&self) {
        let segments = self.segments();
        let (last, before) = (&segments[segments.len() - 1], &segments[segments.len() - 2]);
        fs::remove_file(&last.path).unwrap();
        fs::remove_file(last.notes()).unwrap();
        let newest = notes::read(before).unwrap().unwrap().notes.pop().unwrap();
        fs::write(self.file("checkpoint"), newest.to_string()).unwrap();
    }
}

fn exchange(a: &Path, b: &Path) {
    let (in_a, in_b) = (fs::read(a).unwrap(), fs::read(b).unwrap());
    fs::write(a, in_b).unwrap();
    fs::write(b, in_a).unwrap();
}

/// Tampers with a copy; tells what must be found.
type Tamper = fn(&Copy) -> (u64, Fault);

const WAYS: &[(&str, Kept, Tamper)] = &[
    ("an edited record", Kept::Nothing, |copy| {
        copy.lines(2, |lines| lines[3] = lines[3].replacen("\"ok\"", "\"no\"", 1));
        (copy.first(2) + 3, Fault::Link)
    }),
    ("an edited last record of a segment", Kept::Nothing, |copy| {
        copy.lines(1, |lines| {
            let last = lines.last_mut().unwrap();
            *last = last.replacen("\"ok\"", "\"no\"", 1);
        });
        // The checkpoint at the segment's end signs it; what lies between it and the one before is not told apart.
        (copy.first(1), Fault::Root { to: copy.first(2) - 1, size: copy.first(2) })
    }),
    ("a deleted record", Kept::Nothing, |copy| {
        copy.lines(1, |lines| drop(lines.remove(2)));
        (copy.first(1) + 2, Fault::Sequence { found: copy.first(1) + 3 })
    }),
    ("an inserted record", Kept::Nothing, |copy| {
        copy.lines(1, |lines| {
            let forged = lines[2].replacen("agent", "admin", 1);
            lines.insert(3, forged);
        });
        (copy.first(1) + 3, Fault::Sequence { found: copy.first(1) + 2 })
    }),
    ("swapped records", Kept::Nothing, |copy| {
        copy.lines(3, |lines| lines.swap(4, 5));
        (copy.first(3) + 4, Fault::Sequence { found: copy.first(3) + 5 })
    }),
    ("a duplicate index", Kept::Nothing, |copy| {
        copy.lines(2, |lines| {
            let index = |line: &str| line.split_once(",\"time\"").unwrap().0.to_owned();
            let (third, fourth) = (index(&lines[3]), index(&lines[4]));
            lines[4] = lines[4].replacen(&fourth, &third, 1);
        });
        (copy.first(2) + 4, Fault::Sequence { found: copy.first(2) + 3 })
    }),
    ("an edit with all links made to fit", Kept::Nothing, |copy| {
        copy.lines(2, |lines| lines[3] = lines[3].replacen("\"ok\"", "\"no\"", 1));
        copy.relink();
        (copy.first(2), Fault::Root { to: copy.first(3) - 1, size: copy.first(3) })
    }),
    ("everything signed anew after an edit", Kept::Key, |copy| {
        copy.lines(2, |lines| lines[3] = lines[3].replacen("\"ok\"", "\"no\"", 1));
        copy.sign_anew(&signer("node.test/ledger"));
        (0, Fault::Signature { size: 0 })
    }),
    ("a cut end", Kept::Nothing, |copy| {
        copy.lines(4, |lines| lines.truncate(lines.len() - 3));
        (81, Fault::Truncated { size: 84 })
    }),
    ("a cut end with its checkpoints", Kept::Checkpoint, |copy| {
        let first = copy.first(4);
        copy.forget_last();
        (first, Fault::Truncated { size: 84 })
    }),
    ("an edited seal", Kept::Nothing, |copy| {
        let seal = copy.segments()[1].seal();
        let text = fs::read_to_string(&seal).unwrap();
        fs::write(&seal, text.replacen("2026-", "2027-", 1)).unwrap();
        (copy.first(1), Fault::Seal)
    }),
    ("an edited checkpoint of a segment", Kept::Nothing, |copy| {
        let path = copy.segments()[1].notes();
        let text = fs::read_to_string(&path).unwrap();
        let size = copy.first(2);
        fs::write(&path, text.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size - 1), 1)).unwrap();
        (copy.first(1), Fault::Signature { size: size - 1 })
    }),
    ("an edited newest checkpoint", Kept::Nothing, |copy| {
        let text = fs::read_to_string(copy.file("checkpoint")).unwrap();
        fs::write(copy.file("checkpoint"), text.replacen("\n84\n", "\n85\n", 1)).unwrap();
        (84, Fault::Truncated { size: 85 })
    }),
    ("two segments in each other's place", Kept::Nothing, |copy| {
        let segments = copy.segments();
        exchange(&segments[1].path, &segments[2].path);
        (segments[1].first, Fault::Sequence { found: segments[2].first })
    }),
    ("a segment taken away", Kept::Nothing, |copy| {
        let segments = copy.segments();
        for path in [segments[2].path.clone(), segments[2].notes(), segments[2].seal()] {
            fs::remove_file(path).unwrap();
        }
        (segments[2].first, Fault::Sequence { found: segments[3].first })
    }),
    ("the first segment taken away", Kept::Nothing, |copy| {
        fs::remove_file(&copy.segments()[0].path).unwrap();
        (0, Fault::Sequence { found: copy.first(0) })
    }),
    ("a time set back", Kept::Nothing, |copy| {
        copy.lines(2, |lines| lines[5] = lines[5].replacen("2026-07-28", "2026-07-27", 1));
        copy.relink();
        (copy.first(2) + 5, Fault::Time)
    }),
    ("a line break put into a record", Kept::Nothing, |copy| {
        copy.lines(2, |lines| lines[4] = lines[4].replacen("\"agent\"", "\"age\nnt\"", 1));
        (copy.first(2) + 4, Fault::Malformed)
    }),
    ("a whole record put behind a line break", Kept::Nothing, |copy| {
        let first = copy.first(2);
        copy.lines(2, |lines| {
            let forged = lines[4].replacen("agent", "admin", 1);
            lines[4] = format!("{forged}\n{}", lines[4]);
        });
        (first + 5, Fault::Sequence { found: first + 4 })
    }),
];

#[tokio::test]
async fn every_way_to_tamper_is_named_with_its_first_record() {
    let original = original().await;
    for kept in [Kept::Nothing, Kept::Key, Kept::Checkpoint] {
        assert_eq!(original.found(&original.copy(), kept), None, "the ledger as it was written, {kept:?}");
    }
    for (way, kept, tamper) in WAYS {
        let copy = original.copy();
        let expected = tamper(&copy);
        assert_eq!(original.found(&copy, *kept), Some(expected), "{way}");
        // What was kept elsewhere never makes it look better.
        for kept in [Kept::Key, Kept::Checkpoint].into_iter().filter(|_| *kept == Kept::Nothing) {
            assert!(original.found(&copy, kept).is_some(), "{way}, {kept:?}");
        }
    }
}

#[tokio::test]
async fn what_only_shows_against_something_kept_elsewhere_is_accepted_without_it() {
    let original = original().await;
    let copy = original.copy();
    copy.forget_last();
    assert_eq!(original.found(&copy, Kept::Nothing), None);
    let copy = original.copy();
    copy.sign_anew(&signer("node.test/ledger"));
    assert_eq!(original.found(&copy, Kept::Nothing), None);
    assert!(original.found(&copy, Kept::Checkpoint).is_some());
}

#[tokio::test]
async fn a_changed_segment_is_named_when_it_is_checked_alone() {
    let original = original().await;
    let copy = original.copy();
    copy.lines(2, |lines| lines[3] = lines[3].replacen("\"ok\"", "\"no\"", 1));
    for (nth, segment) in copy.segments().iter().enumerate() {
        let bad = verify(&segment.path, &VerifyOptions::default()).unwrap().bad;
        let expected = (nth == 2).then(|| (segment.first + 3, Fault::Link));
        assert_eq!(bad.map(|bad| (bad.index, bad.fault)), expected, "segment {nth}");
    }
}
