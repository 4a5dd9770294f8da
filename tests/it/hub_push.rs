//! Pushing a folder to the Hub, simulated by a local server with repositories.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use topicframe::error::{Error, ErrorKind};
use topicframe::hub::{Hub, PushOptions, Pushed};
use topicframe::progress::{Event, Progress, ProgressSink};

use crate::hub_repositories::{READER, Repositories, Rules, TOKEN};
use crate::hub_server::{Server, sha256};

pub const REPOSITORY: &str = "tester/topics";

/// What the server stores as a large file: 1.2 MB.
pub fn vectors() -> Vec<u8> {
    (0..300_000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// A folder as a saved model is: JSON, a page, a table in a subfolder, an empty file and vectors.
pub fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
    fs::create_dir(folder.path().join("words")).unwrap();
    write("model.json", b"{\"topics\": 3}");
    write("README.md", b"# Topics\n");
    write("words/topics.csv", b"topic,word\n0,cat\n");
    write("empty.bin", b"");
    write("vectors.safetensors", &vectors());
    folder
}

pub const FILES: [&str; 5] = ["README.md", "empty.bin", "model.json", "vectors.safetensors", "words/topics.csv"];

pub fn hub(server: &Server) -> Hub {
    // Downloads need a cache; pushes do not write to it.
    Hub::with_variables(|_| None)
        .cache_folder("/no/such/cache")
        .endpoint(format!("http://{}", server.address))
        .token(TOKEN)
        .retries(2)
        .retry_pause(Duration::from_millis(1))
        .timeout(Duration::from_secs(20))
}

pub fn push(server: &Server, folder: &Path, options: &PushOptions) -> Result<Pushed, Error> {
    hub(server).push_folder(folder, REPOSITORY, options, &Progress::silent())
}

/// The branch has the folder's files and `.gitattributes`.
fn assert_pushed(all: &Repositories, branch: &str, folder: &Path) {
    let branch = all.branch(REPOSITORY, branch);
    let mut names: Vec<&str> = branch.files.keys().map(String::as_str).collect();
    names.retain(|name| *name != ".gitattributes");
    assert_eq!(names, FILES);
    for name in names {
        let content = &branch.files[name];
        assert!(content.bytes == fs::read(folder.join(name)).unwrap(), "{name} differs");
        assert_eq!(content.large, name == "vectors.safetensors", "{name}");
    }
}

/// Uploads to the storage.
pub fn uploads(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.at_store && request.method == "PUT").count()
}

pub fn commits(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.path.contains("/commit/")).count()
}

#[test]
fn a_first_push_creates_the_repository() {
    let (all, folder) = (Repositories::default(), folder());
    let server = all.serve();
    let pushed = push(&server, folder.path(), &PushOptions::new().message("May").description("40 topics")).unwrap();
    assert_pushed(&all, "main", folder.path());
    let branch = all.branch(REPOSITORY, "main");
    assert_eq!(branch.messages, ["May"]);
    assert!(pushed.created && !pushed.is_unchanged());
    assert_eq!((pushed.repository.as_str(), pushed.revision.as_str()), (REPOSITORY, "main"));
    assert_eq!(pushed.commit, branch.commit);
    assert_eq!(pushed.url, format!("http://{}/{REPOSITORY}/commit/{}", server.address, branch.commit));
    assert_eq!(pushed.changed, FILES);
    assert!(pushed.unchanged.is_empty() && pushed.deleted.is_empty() && pushed.pull_request.is_none());
    assert_eq!(pushed.uploaded_bytes, 1_200_000 + 13 + 9 + 17);
    assert!(pushed.to_string().starts_with("pushed 5 files (1201 kB sent): http://"), "{pushed}");
    assert_eq!((uploads(&server), commits(&server)), (1, 1));
}

#[test]
fn nothing_is_pushed_twice() {
    let (all, folder) = (Repositories::default(), folder());
    let server = all.serve();
    let first = push(&server, folder.path(), &PushOptions::new()).unwrap();
    let second = push(&server, folder.path(), &PushOptions::new()).unwrap();
    assert!(second.is_unchanged() && !second.created, "{second:?}");
    assert_eq!((second.commit, second.uploaded_bytes), (first.commit, 0));
    assert_eq!(second.unchanged, FILES);
    assert_eq!((uploads(&server), commits(&server)), (1, 1));

    // One small file has changed.
    fs::write(folder.path().join("model.json"), "{\"topics\": 4}").unwrap();
    let third = push(&server, folder.path(), &PushOptions::new()).unwrap();
    assert_eq!(third.changed, ["model.json"]);
    assert_eq!((third.unchanged.len(), third.uploaded_bytes), (4, 13));
    assert_pushed(&all, "main", folder.path());
    assert_eq!((uploads(&server), commits(&server)), (1, 2));

    // A content that the Hub has under another name is committed without an upload.
    fs::copy(folder.path().join("vectors.safetensors"), folder.path().join("copy.safetensors")).unwrap();
    let fourth = push(&server, folder.path(), &PushOptions::new()).unwrap();
    assert_eq!((fourth.changed, fourth.uploaded_bytes), (vec!["copy.safetensors".to_owned()], 0));
    assert_eq!((uploads(&server), commits(&server)), (1, 3));
    assert!(all.branch(REPOSITORY, "main").files["copy.safetensors"].bytes == vectors());
}

#[test]
fn equal_contents_are_uploaded_once() {
    let (all, folder) = (Repositories::default(), folder());
    fs::copy(folder.path().join("vectors.safetensors"), folder.path().join("copy.safetensors")).unwrap();
    let server = all.serve();
    let pushed = push(&server, folder.path(), &PushOptions::new()).unwrap();
    assert_eq!((uploads(&server), pushed.changed.len()), (1, 6));
    assert_eq!(all.objects(), [sha256(&vectors())]);
}

#[test]
fn files_that_are_gone_are_deleted_where_a_pattern_says_so() {
    let (all, folder) = (Repositories::default(), folder());
    let server = all.serve();
    push(&server, folder.path(), &PushOptions::new()).unwrap();
    fs::remove_file(folder.path().join("vectors.safetensors")).unwrap();
    fs::remove_file(folder.path().join("words/topics.csv")).unwrap();
    assert!(push(&server, folder.path(), &PushOptions::new()).unwrap().is_unchanged());
    let pushed = push(&server, folder.path(), &PushOptions::new().delete(["*.safetensors", "*.json"])).unwrap();
    assert_eq!((pushed.deleted.clone(), pushed.changed.len()), (vec!["vectors.safetensors".to_owned()], 0));
    assert!(pushed.to_string().contains("deleted 1 file: "), "{pushed}");
    // Everything, except for what the Hub itself needs.
    let pushed = push(&server, folder.path(), &PushOptions::new().delete(["*"])).unwrap();
    assert_eq!(pushed.deleted, ["words/topics.csv"]);
    let left: Vec<String> = all.branch(REPOSITORY, "main").files.into_keys().collect();
    assert_eq!(left, [".gitattributes", "README.md", "empty.bin", "model.json"]);
}

#[test]
fn files_to_keep_are_pushed_only_where_they_are_missing() {
    let (all, folder) = (Repositories::default(), folder());
    let server = all.serve();
    let options = PushOptions::new().keep(["README.md"]);
    assert!(push(&server, folder.path(), &options).unwrap().changed.contains(&"README.md".to_owned()));
    all.change(REPOSITORY, "main", |branch| branch.files.get_mut("README.md").unwrap().bytes = b"# Edited\n".to_vec());
    let pushed = push(&server, folder.path(), &options).unwrap();
    assert!(pushed.is_unchanged() && pushed.unchanged == FILES, "{pushed:?}");
    assert_eq!(push(&server, folder.path(), &PushOptions::new()).unwrap().changed, ["README.md"]);
}

#[test]
fn branches_are_created_from_main() {
    let (all, folder) = (Repositories::default(), folder());
    let server = all.serve();
    let options = PushOptions::new().revision("experiments/may");
    let pushed = push(&server, folder.path(), &options).unwrap();
    assert!(pushed.created && pushed.revision == "experiments/may");
    assert_pushed(&all, "experiments/may", folder.path());
    assert_eq!(all.branch(REPOSITORY, "main").files.len(), 1);
    assert!(push(&server, folder.path(), &options).unwrap().is_unchanged());

    let missing = PushOptions::new().revision("other").create(false);
    let error = push(&server, folder.path(), &missing).unwrap_err();
    assert!(error.kind() == ErrorKind::NotFound && format!("{error:#}").contains("no revision `other`"), "{error:#}");
    let error = push(&server, folder.path(), &PushOptions::new().revision("refs/pr/9")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = hub(&server).push_folder(folder.path(), "tester/no", &missing, &Progress::silent()).unwrap_err();
    assert!(error.kind() == ErrorKind::NotFound && error.to_string().starts_with("output: "), "{error:#}");
    assert!(all.repository("tester/no").is_none());
}

#[test]
fn private_means_private() {
    let (all, folder) = (Repositories::default(), folder());
    let server = all.serve();
    let private = PushOptions::new().private(true);
    push(&server, folder.path(), &private).unwrap();
    assert!(all.repository(REPOSITORY).unwrap().private);
    assert!(push(&server, folder.path(), &private).unwrap().is_unchanged());
    assert!(push(&server, folder.path(), &PushOptions::new()).unwrap().is_unchanged());

    all.create("tester/public", false);
    let error = hub(&server).push_folder(folder.path(), "tester/public", &private, &Progress::silent()).unwrap_err();
    let told = format!("{error:#}");
    assert!(error.kind() == ErrorKind::InvalidParameter && told.contains("is public"), "{told}");
    assert!(told.contains("/tester/public/settings"), "{told}");
    assert_eq!(all.branch("tester/public", "main").files.len(), 1);
}

#[test]
fn a_pull_request_leaves_the_branch() {
    let (all, folder) = (Repositories::default(), folder());
    all.create("others/topics", false);
    let server = all.serve();
    let silent = Progress::silent();
    let propose = |options: &PushOptions| hub(&server).push_folder(folder.path(), "others/topics", options, &silent);
    let error = propose(&PushOptions::new()).unwrap_err();
    let told = format!("{error:#}");
    assert!(told.contains("member of this organization") && told.contains("create_pr"), "{told}");

    let pushed = propose(&PushOptions::new().create_pr(true)).unwrap();
    let page = format!("http://{}/others/topics/discussions/1", server.address);
    assert_eq!(pushed.pull_request.as_ref(), Some(&page));
    assert!(pushed.to_string().ends_with(&page), "{pushed}");
    assert_eq!(all.branch("others/topics", "main").files.len(), 1);
    assert_eq!(all.branch("others/topics", "refs/pr/1").files.len(), 6);
}

#[test]
fn names_without_an_owner_are_those_of_the_user() {
    let (all, folder) = (Repositories::default(), folder());
    let server = all.serve();
    let pushed = hub(&server).push_folder(folder.path(), "mine", &PushOptions::new(), &Progress::silent()).unwrap();
    assert_eq!(pushed.repository, "tester/mine");
    assert_eq!(all.branch("tester/mine", "main").files.len(), 6);
}

#[test]
fn large_files_go_in_parts_if_the_hub_says_so() {
    for verify in [false, true] {
        let all = Repositories::with(Rules { chunk_size: Some(500_000), verify, ..Rules::default() });
        let (folder, server) = (folder(), all.serve());
        push(&server, folder.path(), &PushOptions::new()).unwrap();
        assert_pushed(&all, "main", folder.path());
        let sizes: Vec<usize> =
            server.requests().iter().filter(|request| request.at_store).map(|request| request.body.len()).collect();
        assert_eq!(sizes, [500_000, 500_000, 200_000]);
        assert_eq!(server.requests().iter().any(|request| request.path.starts_with("/verify/")), verify);
    }
}

#[test]
fn the_token_stays_with_the_hub() {
    for (chunk_size, forwards) in [(None, false), (None, true), (Some(500_000), false), (Some(500_000), true)] {
        let all = Repositories::with(Rules { chunk_size, verify: true, forwards });
        let (folder, server) = (folder(), all.serve());
        push(&server, folder.path(), &PushOptions::new()).unwrap();
        assert_pushed(&all, "main", folder.path());
        assert!(uploads(&server) > 0);
        for request in server.requests() {
            let told = format!("{request:?}").contains(TOKEN);
            assert_eq!(told, !request.at_store, "{} {}", request.method, request.path);
            // The storage's own headers are for the host that they were given for.
            let is_direct = request.method == "PUT" && chunk_size.is_none() && request.at_store != forwards;
            assert_eq!(request.headers.contains_key("x-signed"), is_direct, "{} {}", request.method, request.path);
        }
    }
}

#[test]
fn tokens_are_asked_for_and_judged() {
    let (all, folder) = (Repositories::default(), folder());
    all.create(REPOSITORY, false);
    let server = all.serve();
    let push = |hub: Hub, id: &str| {
        let error = hub.push_folder(folder.path(), id, &PushOptions::new(), &Progress::silent()).unwrap_err();
        (error.kind(), format!("{error:#}"))
    };
    let (kind, told) = push(hub(&server).token(""), REPOSITORY);
    assert_eq!(kind, ErrorKind::InvalidParameter);
    for words in ["needs a token", "/settings/tokens", "HF_TOKEN", "hf auth login"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(server.requests().is_empty(), "without a token, nothing is asked");

    for (token, id, words) in [
        ("hf_expired", REPOSITORY, "is not valid, or has expired"),
        ("hf_expired", "tester/new", "is not valid, or has expired"),
        ("hf_expired", "mine", "is not valid, or has expired"),
        (READER, REPOSITORY, "needs the right to write"),
        (READER, "tester/new", "needs the right to write"),
        (TOKEN, "strangers/new", "under this namespace"),
    ] {
        let (kind, told) = push(hub(&server).token(token), id);
        assert!(kind == ErrorKind::Io && told.contains(words) && !told.contains(token), "{token} {id}: {told}");
    }
    let (kind, told) = push(hub(&server).offline(true), REPOSITORY);
    assert!(kind == ErrorKind::InvalidParameter && told.contains("HF_HUB_OFFLINE"), "{told}");
    assert_eq!((uploads(&server), commits(&server)), (0, 0));
}

#[test]
fn tokens_come_from_variables_as_for_downloads() {
    let (all, folder) = (Repositories::default(), folder());
    let server = all.serve();
    let endpoint = format!("http://{}", server.address);
    let push = |variables: &[(&str, &str)]| {
        let all = [variables, &[("HF_ENDPOINT", endpoint.as_str()), ("HF_HOME", "/no/such")]].concat();
        let lookup = |name: &str| all.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
        Hub::with_variables(lookup).push_folder(folder.path(), REPOSITORY, &PushOptions::new(), &Progress::silent())
    };
    assert!(push(&[("HF_TOKEN", TOKEN)]).unwrap().created);
    let error = push(&[("HF_TOKEN", TOKEN), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]).unwrap_err();
    assert!(error.to_string().contains("needs a token"), "{error:#}");
    let error = push(&[("HF_TOKEN", TOKEN), ("HF_HUB_OFFLINE", "1")]).unwrap_err();
    assert!(error.to_string().contains("network requests are disabled"), "{error:#}");
}

#[test]
fn names_and_options_that_are_none_are_errors_before_any_request() {
    let (all, folder) = (Repositories::default(), folder());
    let server = all.serve();
    let options = PushOptions::new;
    for (id, options) in [
        ("", options()),
        ("a/b/c", options()),
        ("../b", options()),
        ("a/b@main", options()),
        ("a b/c", options()),
        (REPOSITORY, options().revision("../x")),
        (REPOSITORY, options().revision("0".repeat(40))),
        (REPOSITORY, options().message(" \n")),
        (REPOSITORY, options().message("x".repeat(1_001))),
        (REPOSITORY, options().delete(["[a"])),
        (REPOSITORY, options().keep(["***"])),
    ] {
        let error = hub(&server).push_folder(folder.path(), id, &options, &Progress::silent()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{id:?} {options:?}: {error}");
        assert!(error.to_string().starts_with("output: "), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[derive(Default)]
struct Events(Mutex<Vec<Event>>);

impl ProgressSink for Events {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

#[test]
fn progress_is_told_in_kilobytes() {
    for chunk_size in [None, Some(500_000)] {
        let all = Repositories::with(Rules { chunk_size, ..Rules::default() });
        let (folder, server, events) = (folder(), all.serve(), Arc::new(Events::default()));
        let progress = Progress::to(events.clone());
        hub(&server).push_folder(folder.path(), REPOSITORY, &PushOptions::new(), &progress).unwrap();
        let events = events.0.lock().unwrap();
        for task in ["kB hashed", "kB to tester/topics"] {
            let is_start =
                |event: &&Event| matches!(event, Event::Started { task: name, total: 1200, .. } if name == task);
            assert_eq!(events.iter().filter(is_start).count(), 1, "{task}");
            let done = events.iter().filter_map(|event| match event {
                Event::Advanced { task: name, done, .. } if name == task => Some(*done),
                _ => None,
            });
            assert_eq!(done.max(), Some(1200), "{task}");
        }
    }
}
