//! Pushes that fail, break, collide or are stopped; and folders that are refused.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use topicframe::error::ErrorKind;
use topicframe::hub::PushOptions;
use topicframe::progress::{Interrupt, Progress};

use crate::hub_push::{FILES, REPOSITORY, commits, folder, hub, push, uploads, vectors};
use crate::hub_repositories::{Repositories, Rules, refusal};
use crate::hub_server::{Reply, Request, Server, Site, sha256};

/// A server whose replies a test changes.
fn server(all: &Repositories, answer: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> Server {
    let all = all.clone();
    let site = Site::new("", &[]);
    Server::with(site, move |site, request| answer(request).unwrap_or_else(|| all.reply(site, request)))
}

/// A server that hangs up after some bytes of the first `times` requests that `matches`.
fn breaking(
    all: &Repositories,
    times: usize,
    bytes: usize,
    matches: impl Fn(&Request) -> bool + Send + Sync + 'static,
) -> Server {
    let (all, broken) = (all.clone(), AtomicUsize::new(0));
    let hang_up =
        move |request: &Request| (matches(request) && broken.fetch_add(1, Ordering::SeqCst) < times).then_some(bytes);
    Server::hanging_up(Site::new("", &[]), hang_up, move |site, request| all.reply(site, request))
}

fn is_upload(request: &Request) -> bool {
    request.at_store && request.method == "PUT"
}

fn is_commit(request: &Request) -> bool {
    request.path.contains("/commit/")
}

fn assert_untouched(all: &Repositories) {
    let names: Vec<String> = all.branch(REPOSITORY, "main").files.into_keys().collect();
    assert_eq!(names, [".gitattributes"]);
}

#[test]
fn a_broken_upload_is_sent_again() {
    let (all, folder) = (Repositories::default(), folder());
    let server = breaking(&all, 2, 400_000, is_upload);
    let pushed = push(&server, folder.path(), &PushOptions::new()).unwrap();
    assert_eq!((uploads(&server), pushed.changed.len(), pushed.uploaded_bytes), (3, 5, 1_200_039));
    assert!(all.branch(REPOSITORY, "main").files["vectors.safetensors"].bytes == vectors());

    // Of parts, only the broken one.
    let all = Repositories::with(Rules { chunk_size: Some(300_000), ..Rules::default() });
    let server = breaking(&all, 1, 100_000, |request| request.path.ends_with("/3"));
    push(&server, folder.path(), &PushOptions::new()).unwrap();
    let paths: Vec<String> = server.requests().into_iter().filter(is_upload).map(|request| request.path).collect();
    let numbers: Vec<&str> = paths.iter().map(|path| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(numbers, ["1", "2", "3", "3", "4"]);
    assert!(all.branch(REPOSITORY, "main").files["vectors.safetensors"].bytes == vectors());
}

#[test]
fn an_upload_that_always_breaks_is_an_error() {
    let (all, folder) = (Repositories::default(), folder());
    let server = breaking(&all, usize::MAX, 400_000, is_upload);
    let error = push(&server, folder.path(), &PushOptions::new()).unwrap_err();
    assert!(error.kind() == ErrorKind::Io && format!("{error:#}").contains("broke while"), "{error:#}");
    assert_eq!((uploads(&server), commits(&server)), (3, 0), "one attempt and two retries");
    assert_untouched(&all);
}

#[test]
fn what_may_pass_is_tried_again() {
    for status in [500, 503, 429] {
        let (all, folder, seen) = (Repositories::default(), folder(), Mutex::new(Vec::new()));
        // Every request succeeds on the second attempt.
        let server = server(&all, move |request| {
            let (key, mut seen) = (format!("{} {}", request.method, request.path), seen.lock().unwrap());
            let is_new = !seen.contains(&key);
            seen.push(key);
            is_new.then(|| Reply::status(status).header("retry-after", "0"))
        });
        let pushed = push(&server, folder.path(), &PushOptions::new()).unwrap();
        assert_eq!(pushed.changed, FILES, "{status}");
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_not_made_twice() {
    let (all, folder) = (Repositories::default(), folder());
    let (inner, lost) = (all.clone(), AtomicUsize::new(0));
    let server = Server::with(Site::new("", &[]), move |site, request| {
        let reply = inner.reply(site, request);
        match is_commit(request) && lost.fetch_add(1, Ordering::SeqCst) == 0 {
            true => reply.cut(3).header("content-length", "100"),
            false => reply,
        }
    });
    let pushed = push(&server, folder.path(), &PushOptions::new()).unwrap();
    let branch = all.branch(REPOSITORY, "main");
    assert_eq!((pushed.changed.as_slice(), &pushed.commit), (&FILES.map(str::to_owned)[..], &branch.commit));
    assert_eq!(branch.messages.len(), 1);
    assert!(pushed.created);
}

#[test]
fn a_pull_request_whose_answer_is_lost_is_not_opened_twice() {
    let (all, folder) = (Repositories::default(), folder());
    all.create(REPOSITORY, false);
    let inner = all.clone();
    let server = Server::with(Site::new("", &[]), move |site, request| {
        let reply = inner.reply(site, request);
        if is_commit(request) { Reply::status(502) } else { reply }
    });
    let error = push(&server, folder.path(), &PushOptions::new().create_pr(true)).unwrap_err();
    let told = format!("{error:#}");
    assert!(told.contains("may have been opened") && told.contains("/discussions"), "{told}");
    assert_eq!(commits(&server), 1);
}

#[test]
fn a_branch_that_others_change_meanwhile_ends_with_the_whole_folder() {
    let (all, folder) = (Repositories::default(), folder());
    all.create(REPOSITORY, false);
    let (inner, times) = (all.clone(), AtomicUsize::new(0));
    let server = server(&all, move |request| {
        if is_commit(request) && times.fetch_add(1, Ordering::SeqCst) < 2 {
            let content = crate::hub_repositories::Content { large: false, bytes: b"{\"topics\": 4}".to_vec() };
            inner.change(REPOSITORY, "main", |branch| drop(branch.files.insert("model.json".to_owned(), content)));
        }
        None
    });
    let pushed = push(&server, folder.path(), &PushOptions::new()).unwrap();
    let branch = all.branch(REPOSITORY, "main");
    assert_eq!(branch.files["model.json"].bytes, b"{\"topics\": 3}");
    assert_eq!((branch.files.len(), branch.messages.len(), commits(&server)), (6, 1, 3));
    assert_eq!((pushed.changed.len(), uploads(&server)), (5, 1));
}

#[test]
fn refusals_say_what_to_do() {
    let folder = folder();
    let cases: [(&str, Reply, ErrorKind, &str); 9] = [
        ("/commit/", refusal(403, "", "Private repository storage limit reached"), ErrorKind::Io, "storage on the Hub"),
        ("/commit/", refusal(413, "", "Payload too large"), ErrorKind::Io, "larger than the Hub takes"),
        ("/commit/", refusal(409, "", "busy"), ErrorKind::Io, "at the same time"),
        ("/commit/", refusal(400, "", "Invalid\u{1b}[2J metadata in README.md"), ErrorKind::Io, "Invalid\u{fffd}[2J"),
        ("/objects/batch", refusal(507, "", "no space"), ErrorKind::Io, "storage on the Hub"),
        ("/preupload/", refusal(404, "RepoNotFound", "gone"), ErrorKind::NotFound, "Check the spelling"),
        ("/put/", Reply::status(413), ErrorKind::Io, "larger than the Hub takes"),
        ("/put/", refusal(403, "", "link expired"), ErrorKind::Io, "link expired"),
        ("/repos/create", refusal(403, "", "no rights"), ErrorKind::Io, "no rights"),
    ];
    for (path, answer, kind, words) in cases {
        let all = Repositories::default();
        let status = answer.status;
        let server = server(&all, move |request| request.path.contains(path).then(|| answer.clone()));
        let error = push(&server, folder.path(), &PushOptions::new()).unwrap_err();
        let told = format!("{error:#}");
        assert!(error.kind() == kind && told.contains(words), "{path} {status}: {told}");
        assert!(told.contains(&status.to_string()) && told.starts_with("output: "), "{told}");
        if all.repository(REPOSITORY).is_some() {
            assert_untouched(&all);
        }
    }
}

#[test]
fn a_refused_content_names_its_file() {
    let (all, folder) = (Repositories::default(), folder());
    let server = server(&all, |request| {
        let object = serde_json::json!({
            "oid": sha256(&vectors()), "size": vectors().len(),
            "error": { "code": 422, "message": "too large for this account" },
        });
        let answer = serde_json::json!({ "objects": [object] });
        request.path.ends_with("/objects/batch").then(|| Reply::body(answer.to_string()))
    });
    let error = push(&server, folder.path(), &PushOptions::new()).unwrap_err();
    let told = format!("{error:#}");
    assert!(told.contains("vectors.safetensors") && told.contains("(code 422): too large for this account"), "{told}");
}

#[test]
fn links_that_have_expired_are_asked_for_again() {
    let (all, folder, times) = (Repositories::default(), folder(), AtomicUsize::new(0));
    let server = server(&all, move |request| {
        let expired = is_upload(request) && times.fetch_add(1, Ordering::SeqCst) == 0;
        expired.then(|| refusal(403, "", "Request has expired"))
    });
    push(&server, folder.path(), &PushOptions::new()).unwrap();
    let batches = server.requests().iter().filter(|request| request.path.ends_with("/objects/batch")).count();
    assert_eq!((batches, uploads(&server), commits(&server)), (2, 2, 1));
}

#[test]
fn contents_that_arrive_damaged_are_not_committed() {
    let all = Repositories::with(Rules { verify: true, ..Rules::default() });
    let folder = folder();
    let server =
        server(&all, |request| request.path.starts_with("/verify/").then(|| refusal(422, "", "hash mismatch")));
    let error = push(&server, folder.path(), &PushOptions::new()).unwrap_err();
    let told = format!("{error:#}");
    assert!(told.contains("vectors.safetensors") && told.contains("modifies files"), "{told}");
    assert_eq!(commits(&server), 0);
    assert_untouched(&all);
}

#[test]
fn hostile_answers_are_errors() {
    let folder = folder();
    let oid = sha256(&vectors());
    let batch =
        |upload: &str| format!(r#"{{"objects":[{{"oid":"{oid}","size":1200000,"actions":{{"upload":{upload}}}}}]}}"#);
    let deep = "[".repeat(100_000);
    let many: Vec<String> = (1..=20_000).map(|n| format!(r#""{n}":"http://127.0.0.1:1/{n}""#)).collect();
    for (path, body) in [
        ("/preupload/", "{}".to_owned()),
        ("/preupload/", r#"{"files":[{"path":"model.json","uploadMode":"carrier pigeon"}]}"#.to_owned()),
        ("/preupload/", deep.clone()),
        ("/objects/batch", "{}".to_owned()),
        ("/objects/batch", r#"{"objects":[{"oid":"else"}]}"#.to_owned()),
        ("/objects/batch", batch("{}")),
        ("/objects/batch", batch(r#"{"href":"file:///etc/passwd"}"#)),
        ("/objects/batch", batch(r#"{"href":"http://"}"#)),
        ("/objects/batch", batch(r#"{"href":"/relative"}"#)),
        ("/objects/batch", batch(r#"{"href":"http://h/","header":{"chunk_size":"0"}}"#)),
        ("/objects/batch", batch(r#"{"href":"http://h/","header":{"chunk_size":"x","1":"http://h/1"}}"#)),
        ("/objects/batch", batch(r#"{"href":"http://h/","header":{"chunk_size":"600000","1":"http://h/1"}}"#)),
        (
            "/objects/batch",
            batch(&format!(r#"{{"href":"http://h/","header":{{"chunk_size":"60",{}}}}}"#, many.join(","))),
        ),
        ("/objects/batch", batch(r#"{"href":"http://127.0.0.1:1/","header":{"a\r\nb":"c"}}"#)),
        ("/commit/", "{}".to_owned()),
        ("/commit/", r#"{"commitOid":"../../x"}"#.to_owned()),
        ("/commit/", deep),
    ] {
        let (all, answer) = (Repositories::default(), body.clone());
        let server = server(&all, move |request| request.path.contains(path).then(|| Reply::body(answer.clone())));
        let error = push(&server, folder.path(), &PushOptions::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{path} {:.200}: {error:#}", body);
        assert_untouched(&all);
    }
}

#[test]
fn changes_are_not_sent_on_to_another_host() {
    let folder = folder();
    for path in ["/repos/create", "/preupload/", "/objects/batch", "/commit/"] {
        for status in [301, 302, 303, 307, 308] {
            let all = Repositories::default();
            let inner = all.clone();
            let server = Server::with(Site::new("", &[]), move |site, request| {
                match request.path.contains(path) && !request.at_store {
                    true => Reply::status(status)
                        .header("location", format!("http://{}{}", site.store.unwrap(), request.path)),
                    false => inner.reply(site, request),
                }
            });
            let error = push(&server, folder.path(), &PushOptions::new()).unwrap_err();
            assert!(format!("{error:#}").contains("redirect"), "{path} {status}: {error:#}");
            assert!(server.requests().iter().all(|request| !request.at_store || is_upload(request)));
        }
    }
    // Within the Hub, a redirect repeats the request.
    let all = Repositories::default();
    let server = server(&all, |request| {
        let target = request.path.strip_prefix("/api/models/tester/topics/commit/")?;
        (!target.ends_with("?moved"))
            .then(|| Reply::status(307).header("location", format!("/api/models/tester/topics/commit/{target}?moved")))
    });
    push(&server, folder.path(), &PushOptions::new()).unwrap();
    assert_eq!(all.branch(REPOSITORY, "main").files.len(), 6);
}

#[test]
fn a_push_can_be_left_at_any_step() {
    let folder = folder();
    for step in ["/revision/", "/repos/create", "/preupload/", "/objects/batch", "/put/", "/commit/"] {
        let (all, interrupt) = (Repositories::default(), Interrupt::new());
        let (inner, switch) = (all.clone(), interrupt.clone());
        let server = Server::with(Site::new("", &[]), move |site, request| {
            if request.path.contains(step) {
                switch.stop();
                std::thread::sleep(Duration::from_secs(4));
            }
            inner.reply(site, request)
        });
        let begun = Instant::now();
        let progress = Progress::silent().with_interrupt(interrupt);
        let error = hub(&server).push_folder(folder.path(), REPOSITORY, &PushOptions::new(), &progress).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{step}: {error:#}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{step}: {:?}", begun.elapsed());
    }
}

#[test]
fn what_an_interrupted_push_has_sent_is_not_sent_again() {
    let (all, folder, interrupt) = (Repositories::default(), folder(), Interrupt::new());
    let switch = interrupt.clone();
    let stopping = server(&all, move |request| {
        if is_commit(request) {
            switch.stop();
            return Some(Reply::status(503));
        }
        None
    });
    let progress = Progress::silent().with_interrupt(interrupt);
    let error = hub(&stopping).push_folder(folder.path(), REPOSITORY, &PushOptions::new(), &progress).unwrap_err();
    assert_eq!((error.kind(), uploads(&stopping)), (ErrorKind::Interrupted, 1));
    assert_untouched(&all);
    let server = all.serve();
    let pushed = push(&server, folder.path(), &PushOptions::new()).unwrap();
    assert_eq!((uploads(&server), pushed.changed.len()), (0, 5));
}

#[test]
fn a_file_that_changes_during_the_push_is_not_committed() {
    let folder = folder();
    for (step, file) in
        [("/preupload/", "model.json"), ("/objects/batch", "vectors.safetensors"), ("/put/", "model.json")]
    {
        let (all, path) = (Repositories::default(), folder.path().join(file));
        let server = server(&all, move |request| {
            if request.path.contains(step) {
                fs::write(&path, b"something else").unwrap();
            }
            None
        });
        let error = push(&server, folder.path(), &PushOptions::new()).unwrap_err();
        assert!(error.kind() == ErrorKind::Io && error.to_string().contains("changed while"), "{step}: {error:#}");
        assert!(error.path().unwrap().ends_with(file), "{step}: {error:#}");
        assert_untouched(&all);
        fs::write(folder.path().join("model.json"), b"{\"topics\": 3}").unwrap();
        fs::write(folder.path().join("vectors.safetensors"), vectors()).unwrap();
    }
}

/// The error for a folder that is refused before any request.
fn refused(folder: &TempDir) -> (ErrorKind, String) {
    let all = Repositories::default();
    let server = all.serve();
    let error = push(&server, folder.path(), &PushOptions::new()).unwrap_err();
    assert!(server.requests().is_empty());
    (error.kind(), format!("{error:#}"))
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_refused() {
    use std::os::unix::fs::symlink;

    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let targets = [outside.path().join("secret"), outside.path().to_path_buf(), "model.json".into(), "/no/such".into()];
    for target in targets {
        for place in ["link", "words/link"] {
            let folder = folder();
            symlink(&target, folder.path().join(place)).unwrap();
            let (kind, told) = refused(&folder);
            assert!(kind == ErrorKind::InvalidData && told.contains("link") && told.contains(place), "{told}");
        }
    }
    let socket = folder();
    let _listening = std::os::unix::net::UnixListener::bind(socket.path().join("socket")).unwrap();
    let (kind, told) = refused(&socket);
    assert!(kind == ErrorKind::InvalidData && told.contains("a pipe, a socket or a device"), "{told}");
}

#[cfg(unix)]
#[test]
fn names_that_other_systems_do_not_have_are_refused() {
    for name in ["a\\b", "c:d", "line\nend", "..\\x"] {
        let folder = folder();
        fs::write(folder.path().join(name), "x").unwrap();
        let (kind, told) = refused(&folder);
        assert!(kind == ErrorKind::InvalidData && told.contains("cannot be used on every system"), "{told}");
    }
}

#[test]
fn folders_that_are_too_much_are_refused() {
    let huge = folder();
    // 60 GB of nothing.
    fs::File::create(huge.path().join("huge.bin")).unwrap().set_len(60_000_000_000).unwrap();
    let (kind, told) = refused(&huge);
    assert!(kind == ErrorKind::InvalidData && told.contains("has 60 GB; the Hub takes at most 50 GB"), "{told}");

    let deep = TempDir::new().unwrap();
    fs::create_dir_all(deep.path().join("a/".repeat(16))).unwrap();
    fs::write(deep.path().join("a/".repeat(16)).join("b"), "x").unwrap();
    assert!(refused(&deep).1.contains("nested too deeply"));

    let empty = TempDir::new().unwrap();
    fs::create_dir(empty.path().join("empty")).unwrap();
    let (kind, told) = refused(&empty);
    assert!(kind == ErrorKind::InvalidData && told.contains("nothing to push"), "{told}");

    let all = Repositories::default();
    let server = all.serve();
    let error = push(&server, &empty.path().join("no"), &PushOptions::new()).unwrap_err();
    assert!(error.kind() == ErrorKind::NotFound && error.path().is_some(), "{error:#}");
    let error = push(&server, &huge.path().join("model.json"), &PushOptions::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn what_git_and_python_keep_in_a_folder_is_skipped() {
    let (all, folder) = (Repositories::default(), folder());
    for place in [".git", ".cache/huggingface", "words/.git"] {
        fs::create_dir_all(folder.path().join(place)).unwrap();
        fs::write(folder.path().join(place).join("config"), "x").unwrap();
    }
    fs::write(folder.path().join("words/.topicframe-12-0.part"), "half").unwrap();
    let server = all.serve();
    assert_eq!(push(&server, folder.path(), &PushOptions::new()).unwrap().changed, FILES);
}

#[test]
fn a_server_that_says_nothing_is_left() {
    let (all, folder) = (Repositories::default(), folder());
    let server = server(&all, |request| {
        if is_upload(request) {
            std::thread::sleep(Duration::from_secs(2));
        }
        None
    });
    let impatient = hub(&server).timeout(Duration::from_millis(200)).retries(1);
    let begun = Instant::now();
    let error = impatient.push_folder(folder.path(), REPOSITORY, &PushOptions::new(), &Progress::silent()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_storage_that_takes_nothing_is_left() {
    let (all, folder) = (Repositories::default(), folder());
    // More than the system takes on the storage's behalf.
    fs::write(folder.path().join("vectors.safetensors"), vec![7; 40_000_000]).unwrap();
    let inner = all.clone();
    let hang_up = |request: &Request| {
        let wait = Duration::from_secs(if is_upload(request) { 4 } else { 0 });
        std::thread::sleep(wait);
        None
    };
    let server = Server::hanging_up(Site::new("", &[]), hang_up, move |site, request| inner.reply(site, request));
    let impatient = hub(&server).timeout(Duration::from_millis(500)).retries(1);
    let begun = Instant::now();
    let error = impatient.push_folder(folder.path(), REPOSITORY, &PushOptions::new(), &Progress::silent()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error:#}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(commits(&server), 0);
}
