//! Fetching those files of a repository that match patterns.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use topicframe::error::{Error, ErrorKind};
use topicframe::hub::{Hub, PushOptions};
use topicframe::progress::Progress;

use crate::hub_push::{self, REPOSITORY, folder};
use crate::hub_repositories::{Content, Repositories, TOKEN};
use crate::hub_server::{Server, Site};
use crate::notes::Notes;

const PATTERNS: [&str; 3] = ["*.json", "*.safetensors", "words/*"];

fn hub(cache: &TempDir, server: &Server) -> Hub {
    hub_push::hub(server).cache_folder(cache.path()).token("")
}

fn fetch(hub: &Hub) -> Result<PathBuf, Error> {
    hub.snapshot_matching(REPOSITORY, &PATTERNS, &Progress::silent())
}

fn names(folder: &Path) -> Vec<String> {
    let files = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let all = files(folder.to_path_buf()).chain(files(folder.join("words"))).filter(|path| path.is_file());
    let mut names: Vec<String> =
        all.map(|path| path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/")).collect();
    names.sort();
    names
}

#[test]
fn what_was_pushed_comes_back() {
    let (all, pushed, cache) = (Repositories::default(), folder(), TempDir::new().unwrap());
    let server = all.serve();
    let commit = hub_push::push(&server, pushed.path(), &PushOptions::new().private(true)).unwrap().commit;
    // Nobody else sees a private repository.
    assert_eq!(fetch(&hub(&cache, &server)).unwrap_err().kind(), ErrorKind::NotFound);
    let hub = hub(&cache, &server).token(TOKEN);
    let folder = fetch(&hub).unwrap();
    assert_eq!(folder, cache.path().join("models--tester--topics/snapshots").join(&commit));
    assert_eq!(names(&folder), ["model.json", "vectors.safetensors", "words/topics.csv"]);
    for name in names(&folder) {
        assert!(fs::read(folder.join(&name)).unwrap() == fs::read(pushed.path().join(&name)).unwrap(), "{name}");
    }
    // A commit needs no request once it is cached.
    let before = server.requests().len();
    assert_eq!(fetch(&hub.clone().revision(&commit)).unwrap(), folder);
    assert_eq!(server.requests().len(), before);
    // Another pattern needs other files.
    let folder = hub.snapshot_matching(REPOSITORY, &["*.md"], &Progress::silent()).unwrap();
    assert_eq!(names(&folder).len(), 4);
    assert_eq!(fetch(&hub.offline(true)).unwrap(), folder);
}

#[test]
fn a_branch_is_followed_and_what_has_not_changed_is_not_fetched_again() {
    let (all, pushed, cache) = (Repositories::default(), folder(), TempDir::new().unwrap());
    let server = all.serve();
    hub_push::push(&server, pushed.path(), &PushOptions::new()).unwrap();
    let hub = hub(&cache, &server);
    let first = fetch(&hub).unwrap();
    let before = server.requests().len();
    assert_eq!(fetch(&hub).unwrap(), first);
    assert_eq!(server.requests().len(), before + 1, "only where the branch is");

    let changed = Content { large: false, bytes: b"{\"topics\": 4}".to_vec() };
    all.change(REPOSITORY, "main", |branch| drop(branch.files.insert("model.json".to_owned(), changed)));
    let downloads = server.downloads().len();
    let second = fetch(&hub).unwrap();
    assert_ne!(first, second);
    assert_eq!(fs::read(second.join("model.json")).unwrap(), b"{\"topics\": 4}");
    assert_eq!(server.downloads().len(), downloads, "the vectors are the same");
    assert_eq!(fetch(&hub.clone().offline(true)).unwrap(), second);

    // Without a network, the cached files are used, and the user is told.
    let notes = Arc::new(Notes::default());
    let away = hub.endpoint("http://127.0.0.1:1").timeout(Duration::from_secs(2));
    assert_eq!(away.snapshot_matching(REPOSITORY, &PATTERNS, &Progress::to(notes.clone())).unwrap(), second);
    assert!(notes.text().contains("as is"));
}

#[test]
fn a_damaged_snapshot_is_completed() {
    let (all, pushed, cache) = (Repositories::default(), folder(), TempDir::new().unwrap());
    let server = all.serve();
    hub_push::push(&server, pushed.path(), &PushOptions::new()).unwrap();
    let hub = hub(&cache, &server);
    let folder = fetch(&hub).unwrap();
    fs::remove_file(folder.join("model.json")).unwrap();
    assert!(fetch(&hub.clone().offline(true)).is_err());
    fs::write(fs::canonicalize(folder.join("vectors.safetensors")).unwrap(), "short").unwrap();
    assert_eq!(fetch(&hub).unwrap(), folder);
    assert!(fs::read(folder.join("vectors.safetensors")).unwrap() == hub_push::vectors());
    assert!(folder.join("model.json").is_file());
}

#[test]
fn no_match_and_too_many_are_errors() {
    let mut site = Site::new(REPOSITORY, &[("config.yaml", b"x")]);
    let (cache, silent) = (TempDir::new().unwrap(), Progress::silent());
    let server = Server::start(site.clone());
    let error = fetch(&hub(&cache, &server)).unwrap_err();
    assert!(error.kind() == ErrorKind::NotFound && error.to_string().starts_with("input: "), "{error:#}");
    for (name, patterns) in [(REPOSITORY, &[][..]), (REPOSITORY, &["[x"]), ("a/b/c", &["*"]), ("../a", &["*"])] {
        let error = hub(&cache, &server).snapshot_matching(name, patterns, &silent).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{name} {patterns:?}");
    }
    site.files.extend((0..10_001).map(|i| (format!("{i}.json"), b"{}".to_vec())));
    let server = Server::start(site);
    let error = fetch(&hub(&cache, &server)).unwrap_err();
    assert!(error.to_string().contains("10001 files; the maximum is 10000"), "{error:#}");
    assert_eq!(server.requests().len(), 1);
}
