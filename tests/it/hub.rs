//! Models from the Hub, simulated by a local server; nothing here reads the user's caches or environment variables.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use topicframe::error::{Error, ErrorKind};
use topicframe::hub::Hub;
use topicframe::progress::{Event, Interrupt, Progress, ProgressSink};

use crate::hub_server::{Reply, Request, Server, Site, sha256};

const MODEL: &str = "tests/tiny";
const MODULES: &str = r#"[
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    {"idx": 3, "name": "3", "path": "3_Normalize", "type": "sentence_transformers.models.Normalize"}
]"#;

fn weights() -> Vec<u8> {
    (0..300_000u32).flat_map(|i| (i.wrapping_mul(2_654_435_761)).to_le_bytes()).collect()
}

/// A sentence transformer as stored on the Hub, with many files that are not needed.
fn sentence_transformer() -> Site {
    let weights = weights();
    Site::new(
        MODEL,
        &[
            ("README.md", b"read me"),
            (".gitattributes", b"*.bin lfs"),
            ("modules.json", MODULES.as_bytes()),
            ("config.json", b"{\"model_type\": \"bert\"}"),
            ("config_sentence_transformers.json", b"{}"),
            ("sentence_bert_config.json", b"{\"max_seq_length\": 128}"),
            ("tokenizer.json", b"{\"version\": \"1.0\"}"),
            ("vocab.txt", b"[PAD]\n"),
            ("model.safetensors", &weights),
            ("pytorch_model.bin", b"pickled"),
            ("tf_model.h5", b"tensorflow"),
            ("rust_model.ot", b"ot"),
            ("flax_model.msgpack", b"flax"),
            ("onnx/model.onnx", b"onnx"),
            ("onnx/config.json", b"{}"),
            ("openvino/openvino_model.bin", b"openvino"),
            ("1_Pooling/config.json", b"{\"pooling_mode_mean_tokens\": true}"),
            ("2_Dense/config.json", b"{\"in_features\": 4}"),
            ("2_Dense/pytorch_model.bin", b"dense, pickled"),
        ],
    )
}

const NEEDED: [&str; 10] = [
    "1_Pooling/config.json",
    "2_Dense/config.json",
    "2_Dense/pytorch_model.bin",
    "config.json",
    "config_sentence_transformers.json",
    "model.safetensors",
    "modules.json",
    "sentence_bert_config.json",
    "tokenizer.json",
    "vocab.txt",
];

/// One weights file and little else.
fn plain() -> Site {
    let weights = weights();
    Site::new(MODEL, &[("config.json", b"{}"), ("tokenizer.json", b"{}"), ("model.safetensors", &weights)])
}

/// A hub configured only by the test.
fn hub(cache: &TempDir, server: &Server) -> Hub {
    nowhere(cache).endpoint(format!("http://{}", server.address))
}

/// A hub with an address where no server listens.
fn nowhere(cache: &TempDir) -> Hub {
    Hub::with_variables(|_| None)
        .cache_folder(cache.path())
        .endpoint("http://127.0.0.1:1")
        .retries(2)
        .retry_pause(Duration::from_millis(1))
        .timeout(Duration::from_secs(20))
}

fn bring(hub: &Hub) -> Result<PathBuf, Error> {
    hub.model_folder(MODEL, &Progress::silent())
}

fn files_under(folder: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => walk(root, &path, found),
                false => found.push(path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/")),
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

fn assert_same(folder: &Path, site: &Site) {
    for file in files_under(folder) {
        assert!(fs::read(folder.join(&file)).unwrap() == site.files[&file], "{file} differs");
    }
}

fn model_cache(cache: &TempDir) -> PathBuf {
    cache.path().join("models--tests--tiny")
}

fn partial_of(cache: &TempDir, content: &[u8]) -> PathBuf {
    model_cache(cache).join("blobs").join(format!("{}.incomplete", sha256(content)))
}

#[test]
fn what_is_needed_comes_into_the_layout_that_python_reads() {
    let (cache, server) = (TempDir::new().unwrap(), Server::start(sentence_transformer()));
    let folder = bring(&hub(&cache, &server)).unwrap();
    let site = &server.site;
    assert_eq!(folder, model_cache(&cache).join("snapshots").join(&site.commit));
    assert_eq!(files_under(&folder), NEEDED);
    assert_same(&folder, site);
    assert_eq!(fs::read_to_string(model_cache(&cache).join("refs/main")).unwrap(), site.commit);
    assert_eq!(fs::read_dir(model_cache(&cache).join("blobs")).unwrap().count(), NEEDED.len(), "nothing unfinished");
    #[cfg(unix)]
    {
        let target = fs::read_link(folder.join("model.safetensors")).unwrap();
        assert_eq!(target, PathBuf::from(format!("../../blobs/{}", sha256(&weights()))));
        let target = fs::read_link(folder.join("2_Dense/pytorch_model.bin")).unwrap();
        assert_eq!(target, PathBuf::from(format!("../../../blobs/{}", sha256(b"dense, pickled"))));
    }
    for file in ["pytorch_model.bin", "tf_model.h5", "onnx/model.onnx", "README.md"] {
        let path = format!("/{MODEL}/resolve/{}/{file}", site.commit);
        assert!(server.requests().iter().all(|request| request.path != path), "{file} was requested");
    }
}

#[test]
fn a_model_in_the_cache_makes_no_request() {
    let (cache, server) = (TempDir::new().unwrap(), Server::start(sentence_transformer()));
    let hub = hub(&cache, &server);
    let folder = bring(&hub).unwrap();
    let before = server.requests().len();
    assert_eq!(bring(&hub).unwrap(), folder);
    assert_eq!(bring(&hub.clone().offline(true)).unwrap(), folder);
    assert_eq!(bring(&hub.clone().revision(&server.site.commit)).unwrap(), folder);
    let files = ["config.json", "1_Pooling/config.json"];
    assert_eq!(hub.snapshot(MODEL, &files, &Progress::silent()).unwrap(), folder);
    assert_eq!(server.requests().len(), before);

    // One file is missing or truncated: only that file is downloaded again.
    fs::remove_file(folder.join("vocab.txt")).unwrap();
    fs::write(fs::canonicalize(folder.join("2_Dense/pytorch_model.bin")).unwrap(), b"dense").unwrap();
    let downloads = server.downloads().len();
    assert_eq!(bring(&hub).unwrap(), folder);
    assert_same(&folder, &server.site);
    assert_eq!(server.downloads().len(), downloads + 1);
}

#[test]
fn offline_without_the_model_says_where_it_looked() {
    let (cache, server) = (TempDir::new().unwrap(), Server::start(plain()));
    let error = bring(&hub(&cache, &server).offline(true)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let text = format!("{error:#}");
    assert!(text.contains("models--tests--tiny") && text.contains("HF_HUB_OFFLINE"), "{text}");
    assert!(server.requests().is_empty());
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0, "nothing was created");
}

#[test]
fn a_hub_out_of_reach_is_told_after_the_retries() {
    let error = bring(&nowhere(&TempDir::new().unwrap())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(format!("{error:#}").contains("127.0.0.1"), "{error:#}");
}

#[test]
fn revisions_are_pinned_by_the_name_and_by_the_setting() {
    let (cache, server) = (TempDir::new().unwrap(), Server::start(plain()));
    let (hub, silent) = (hub(&cache, &server), Progress::silent());
    let commit = &server.site.commit;
    let folder = hub.model_folder(&format!("{MODEL}@{commit}"), &silent).unwrap();
    assert!(folder.ends_with(commit));
    assert!(!model_cache(&cache).join("refs").exists(), "a commit needs no reference");
    assert_eq!(bring(&hub.clone().revision("refs/pr/1")).unwrap(), folder);
    assert_eq!(fs::read_to_string(model_cache(&cache).join("refs/refs/pr/1")).unwrap(), *commit);
    // The revision in the name takes precedence over the setting.
    assert_eq!(hub.clone().revision("no").model_folder(&format!("{MODEL}@main"), &silent).unwrap(), folder);

    let error = bring(&hub.revision("v9")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(format!("{error:#}").contains("no revision `v9`"), "{error:#}");
}

#[test]
fn a_broken_download_goes_on_where_it_ended() {
    let cache = TempDir::new().unwrap();
    let broken = Server::with(plain(), |site, request| match request.at_store {
        true => site.reply(request).cut(400_000),
        false => site.reply(request),
    });
    let folder = bring(&hub(&cache, &broken)).unwrap();
    assert_same(&folder, &broken.site);
    let starts: Vec<_> = broken.downloads().iter().map(|request| request.start()).collect();
    assert_eq!(starts.len(), 3, "{starts:?}: 1,200,000 bytes in pieces of 400,000");
    assert!(starts[0].is_none() && starts[1..].iter().all(|start| start.is_some_and(|start| start > 0)), "{starts:?}");
}

#[test]
fn what_an_earlier_run_has_left_is_used() {
    let (cache, server) = (TempDir::new().unwrap(), Server::start(plain()));
    let partial = partial_of(&cache, &weights());
    fs::create_dir_all(partial.parent().unwrap()).unwrap();
    fs::write(&partial, &weights()[..1_000_000]).unwrap();
    assert_same(&bring(&hub(&cache, &server)).unwrap(), &server.site);
    assert_eq!(server.downloads().iter().map(|request| request.start()).collect::<Vec<_>>(), [Some(1_000_000)]);

    // Corrupted, or longer than the file: everything is downloaded again, once.
    for left in [vec![7; 1000], vec![7; 2_000_000], vec![7; weights().len()]] {
        let cache = TempDir::new().unwrap();
        let partial = partial_of(&cache, &weights());
        fs::create_dir_all(partial.parent().unwrap()).unwrap();
        fs::write(&partial, left).unwrap();
        assert_same(&bring(&hub(&cache, &server)).unwrap(), &server.site);
        assert!(!partial.exists());
    }
}

#[test]
fn a_server_without_ranges_starts_again() {
    let cache = TempDir::new().unwrap();
    let tries = AtomicUsize::new(0);
    let server = Server::with(plain(), move |site, request| match request.at_store {
        false => site.reply(request),
        true => {
            let whole = Reply::body(weights());
            if tries.fetch_add(1, Ordering::SeqCst) == 0 { whole.cut(300_000) } else { whole }
        }
    });
    assert_same(&bring(&hub(&cache, &server)).unwrap(), &server.site);
    assert_eq!(server.downloads().len(), 2);
}

#[test]
fn a_download_that_always_breaks_is_an_error_and_keeps_what_came() {
    let cache = TempDir::new().unwrap();
    let server = Server::with(plain(), |site, request| match request.at_store {
        true => Reply::body(weights()).cut(300_000),
        false => site.reply(request),
    });
    let error = bring(&hub(&cache, &server)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(format!("{error:#}").contains("broke"), "{error:#}");
    assert_eq!(server.downloads().len(), 3, "one that made progress, then two that did not");
    assert_eq!(fs::metadata(partial_of(&cache, &weights())).unwrap().len(), 300_000);
    assert!(!model_cache(&cache).join("refs/main").exists(), "the revision is not recorded before its files");
    assert!(bring(&hub(&cache, &server).offline(true)).is_err());

    let whole = Server::start(plain());
    assert_same(&bring(&hub(&cache, &whole)).unwrap(), &whole.site);
    assert_eq!(whole.downloads()[0].start(), Some(300_000));
}

#[test]
fn content_with_a_wrong_hash_is_refused_and_removed() {
    let cache = TempDir::new().unwrap();
    let server = Server::with(plain(), |site, request| match request.at_store {
        true => Reply::body(vec![1; weights().len()]),
        false => site.reply(request),
    });
    let error = bring(&hub(&cache, &server)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
    assert!(
        format!("{error:#}").contains("model.safetensors") && format!("{error:#}").contains("SHA-256"),
        "{error:#}"
    );
    assert!(!partial_of(&cache, &weights()).exists());
    assert!(!model_cache(&cache).join("blobs").join(sha256(&weights())).exists());
    assert_eq!(server.downloads().len(), 1);
}

#[test]
fn content_of_a_wrong_size_is_refused() {
    let announced = |size: &'static str| {
        Server::with(plain(), move |site, request| {
            let mut reply = site.reply(request);
            for (name, value) in &mut reply.headers {
                if name == "x-linked-size" {
                    *value = size.to_owned();
                }
            }
            reply
        })
    };
    let (cache, server) = (TempDir::new().unwrap(), announced("1000"));
    let error = bring(&hub(&cache, &server)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
    assert!(format!("{error:#}").contains("longer"), "{error:#}");
    assert!(!partial_of(&cache, &weights()).exists());

    let (cache, server) = (TempDir::new().unwrap(), announced("99000000"));
    assert_eq!(bring(&hub(&cache, &server)).unwrap_err().kind(), ErrorKind::Io);
    assert!(!model_cache(&cache).join("blobs").join(sha256(&weights())).exists());
}

/// A server that refuses every request.
fn refusing(status: u16, code: &'static str) -> Server {
    Server::with(plain(), move |_, _| match code {
        "" => Reply::status(status),
        code => Reply::status(status).header("x-error-code", code),
    })
}

#[test]
fn refusals_say_what_to_do() {
    let cache = TempDir::new().unwrap();
    for (status, code, token, kind, words) in [
        (404, "RepoNotFound", "", ErrorKind::NotFound, ["Check the spelling", "set HF_TOKEN"]),
        (404, "", "", ErrorKind::NotFound, ["Check the spelling", MODEL]),
        (401, "RepoNotFound", "", ErrorKind::NotFound, ["Check the spelling", "set HF_TOKEN"]),
        (401, "", "hf_secret", ErrorKind::Io, ["denied", "has expired"]),
        (403, "GatedRepo", "hf_secret", ErrorKind::Io, ["gated", "Accept its terms"]),
        (404, "RevisionNotFound", "", ErrorKind::NotFound, ["no revision `main`", "commits/main"]),
        (418, "", "", ErrorKind::Io, ["status 418", MODEL]),
    ] {
        let server = refusing(status, code);
        let error = bring(&hub(&cache, &server).token(token)).unwrap_err();
        assert_eq!(error.kind(), kind, "{status} {code}: {error}");
        let text = format!("{error:#}");
        assert!(words.iter().all(|word| text.contains(word)) && !text.contains("hf_secret"), "{status} {code}: {text}");
        assert_eq!(server.requests().len(), 1, "{status} {code} is not retried");
    }
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0, "nothing was created");
}

#[test]
fn what_may_pass_is_tried_again() {
    for status in [500, 503, 429] {
        let (cache, seen) = (TempDir::new().unwrap(), Mutex::new(BTreeSet::new()));
        // Every request succeeds on the second attempt.
        let server = Server::with(plain(), move |site, request| {
            match seen.lock().unwrap().insert(format!("{} {}", request.method, request.path)) {
                true => Reply::status(status).header("retry-after", "0"),
                false => site.reply(request),
            }
        });
        assert_same(&bring(&hub(&cache, &server)).unwrap(), &server.site);
    }
    let server = refusing(503, "");
    let error = bring(&hub(&TempDir::new().unwrap(), &server)).unwrap_err();
    assert!(error.kind() == ErrorKind::Io && format!("{error:#}").contains("503"), "{error:#}");
    assert_eq!(server.requests().len(), 3, "one attempt and two retries");
}

#[test]
fn the_token_goes_to_the_hub_and_to_nobody_else() {
    let (cache, server) = (TempDir::new().unwrap(), Server::start(plain()));
    let hub = hub(&cache, &server).token("hf_secret");
    assert!(!format!("{hub:?}").contains("hf_secret"));
    bring(&hub).unwrap();
    for request in server.requests() {
        let expected = (!request.at_store).then_some("Bearer hf_secret");
        assert_eq!(request.headers.get("authorization").map(String::as_str), expected, "{request:?}");
    }
    assert!(!server.downloads().is_empty());
}

#[test]
fn redirects_within_the_hub_are_followed_and_circles_are_not() {
    let cache = TempDir::new().unwrap();
    let moved = Server::with(plain(), |site, request| match request.path.strip_prefix("/api/models/tests/old/") {
        Some(rest) => Reply::status(307).header("location", format!("/api/models/{MODEL}/{rest}")),
        None if request.path.starts_with("/tests/old/") => {
            Reply::status(307).header("location", request.path.replace("/old/", "/tiny/"))
        }
        None => site.reply(request),
    });
    let folder = hub(&cache, &moved).model_folder("tests/old", &Progress::silent()).unwrap();
    assert_same(&folder, &moved.site);
    assert!(folder.starts_with(cache.path().join("models--tests--old")));

    for target in ["/round", "http://", "//", ""] {
        let circle = Server::with(plain(), move |_, _| Reply::status(302).header("location", target));
        assert_eq!(bring(&hub(&TempDir::new().unwrap(), &circle)).unwrap_err().kind(), ErrorKind::Io);
    }
}

#[test]
fn names_that_lead_out_of_the_folder_are_never_written() {
    let outer = TempDir::new().unwrap();
    let cache = TempDir::new_in(outer.path()).unwrap();
    let mut site = plain();
    for name in
        ["../../../../evil.json", "/tmp/evil.json", "..\\evil.json", "C:evil.json", "a/../../evil.json", "x//y.json"]
    {
        site.files.insert(name.to_owned(), b"evil".to_vec());
    }
    let server = Server::start(site);
    let folder = bring(&hub(&cache, &server)).unwrap();
    assert_eq!(files_under(&folder), ["config.json", "model.safetensors", "tokenizer.json"]);
    assert!(files_under(outer.path()).iter().all(|file| !file.contains("evil")));
    assert!(server.requests().iter().all(|request| !request.path.contains("evil")));
}

#[test]
fn guides_that_lead_out_of_the_folder_are_errors() {
    let modules = r#"[{"path": "../../other", "type": "x.Transformer"}]"#;
    let index = r#"{"weight_map": {"a": "../../../../etc/passwd"}}"#;
    let error_of = |name: &str, content: &str| {
        let mut site = plain();
        site.files.remove("model.safetensors");
        site.files.insert(name.to_owned(), content.as_bytes().to_vec());
        let server = Server::start(site);
        bring(&hub(&TempDir::new().unwrap(), &server)).unwrap_err()
    };
    let many: Vec<String> = (0..1_001).map(|i| format!(r#""{i}": "model-{i}.safetensors""#)).collect();
    let error = error_of("model.safetensors.index.json", &format!(r#"{{"weight_map": {{{}}}}}"#, many.join(",")));
    assert!(format!("{error:#}").contains("names 1001 files in its `weight_map`; 1 to 1000"), "{error:#}");
    for (name, content) in [("modules.json", modules), ("model.safetensors.index.json", index)] {
        let error = error_of(name, content);
        assert!(
            error.kind() == ErrorKind::Model && format!("{error:#}").contains("outside the model's folder"),
            "{error:#}"
        );
    }
}

#[test]
fn hostile_answers_are_errors() {
    let commit = plain().commit;
    let many: Vec<String> = (0..100_001).map(|i| format!(r#"{{"rfilename":"{i}.json"}}"#)).collect();
    for body in [
        format!(r#"{{"sha":"{commit}","siblings":[{}]}}"#, many.join(",")),
        format!(r#"{{"sha":"{commit}"}}"#),
        r#"{"sha":"../../evil","siblings":[]}"#.to_owned(),
        "[".repeat(100_000),
        "not json".to_owned(),
        format!("\"{}\"", " ".repeat(33 << 20)),
    ] {
        let server = Server::with(plain(), move |_, _| Reply::body(body.clone()));
        let error = bring(&hub(&TempDir::new().unwrap(), &server)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error:#}");
    }
    for etag in ["../../../evil", "", "a/b", ".."] {
        let server = Server::with(plain(), move |site, request| match request.method.as_str() {
            "HEAD" => Reply::body("{}").header("etag", format!("\"{etag}\"")),
            _ => site.reply(request),
        });
        let error = bring(&hub(&TempDir::new().unwrap(), &server)).unwrap_err();
        assert!(format!("{error:#}").contains("ETag"), "{error:#}");
    }
}

#[test]
fn pieces_come_with_their_index_and_pickles_only_where_there_is_nothing_else() {
    let index =
        br#"{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}"#;
    let mut site = plain();
    site.files.remove("model.safetensors");
    for (name, content) in [
        ("model.safetensors.index.json", &index[..]),
        ("model-00001-of-00002.safetensors", b"one"),
        ("model-00002-of-00002.safetensors", b"two"),
        ("model-00009-of-00009.safetensors", b"not in the index"),
        ("pytorch_model.bin", b"pickled"),
        ("pytorch_model.bin.index.json", b"{}"),
    ] {
        site.files.insert(name.to_owned(), content.to_vec());
    }
    let (cache, server) = (TempDir::new().unwrap(), Server::start(site.clone()));
    let folder = bring(&hub(&cache, &server)).unwrap();
    let pieces =
        ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"];
    assert_eq!(files_under(&folder), [&["config.json"], &pieces[..], &["tokenizer.json"]].concat());

    site.files.retain(|name, _| !name.starts_with("model"));
    let (cache, server) = (TempDir::new().unwrap(), Server::start(site.clone()));
    assert_eq!(
        files_under(&bring(&hub(&cache, &server)).unwrap()),
        ["config.json", "pytorch_model.bin", "tokenizer.json"]
    );

    site.files.retain(|name, _| !name.starts_with("pytorch"));
    let (cache, server) = (TempDir::new().unwrap(), Server::start(site));
    let error = bring(&hub(&cache, &server)).unwrap_err();
    assert!(error.kind() == ErrorKind::Model && format!("{error:#}").contains("no readable weights"), "{error:#}");
}

/// A snapshot as downloaded by Python: without the list of the model's files.
fn python_made(cache: &TempDir, site: &Site, files: &[&str]) -> PathBuf {
    let folder = model_cache(cache).join("snapshots").join(&site.commit);
    for file in files {
        let place = folder.join(file);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, &site.files[*file]).unwrap();
    }
    fs::create_dir_all(model_cache(cache).join("refs")).unwrap();
    fs::write(model_cache(cache).join("refs/main"), &site.commit).unwrap();
    folder
}

#[test]
fn what_python_has_downloaded_is_used_without_a_request() {
    let site = sentence_transformer();
    let cache = TempDir::new().unwrap();
    let folder = python_made(&cache, &site, &NEEDED);
    assert_eq!(bring(&nowhere(&cache)).unwrap(), folder);

    // Each of these files is required.
    for lost in [
        "config.json",
        "model.safetensors",
        "2_Dense/pytorch_model.bin",
        "2_Dense/config.json",
        "1_Pooling/config.json",
    ] {
        let cache = TempDir::new().unwrap();
        let kept: Vec<&str> = NEEDED.into_iter().filter(|file| *file != lost).collect();
        let folder = python_made(&cache, &site, &kept);
        assert!(bring(&nowhere(&cache)).is_err(), "without {lost}");
        assert!(bring(&nowhere(&cache).offline(true)).is_err(), "without {lost}");
        let server = Server::start(site.clone());
        assert_eq!(bring(&hub(&cache, &server)).unwrap(), folder);
        assert_same(&folder, &site);
    }
}

/// The layout of `clip-ViT-B-32`: everything in the module's folder, and no `tokenizer.json`.
#[test]
fn a_module_in_a_folder_of_its_own_is_found() {
    let modules =
        br#"[{"idx": 0, "name": "0", "path": "0_CLIPModel", "type": "sentence_transformers.models.CLIPModel"}]"#;
    let site = Site::new(
        MODEL,
        &[
            ("modules.json", &modules[..]),
            ("0_CLIPModel/config.json", b"{\"vision_config\": {}}"),
            ("0_CLIPModel/preprocessor_config.json", b"{}"),
            ("0_CLIPModel/vocab.json", b"{}"),
            ("0_CLIPModel/merges.txt", b"#version"),
            ("0_CLIPModel/pytorch_model.bin", b"pickled"),
            ("pytorch_model.bin", b"of another library"),
        ],
    );
    let needed: Vec<&str> = site.files.keys().map(String::as_str).filter(|file| *file != "pytorch_model.bin").collect();
    let (cache, server) = (TempDir::new().unwrap(), Server::start(site.clone()));
    assert_eq!(files_under(&bring(&hub(&cache, &server)).unwrap()), needed);

    let cache = TempDir::new().unwrap();
    let folder = python_made(&cache, &site, &needed);
    let requests = server.requests().len();
    assert_eq!(bring(&hub(&cache, &server)).unwrap(), folder);
    assert_eq!(server.requests().len(), requests, "the files downloaded by Python are complete");
    fs::remove_file(folder.join("0_CLIPModel/preprocessor_config.json")).unwrap();
    bring(&hub(&cache, &server)).unwrap();
    assert_same(&folder, &site);
    assert!(folder.join("0_CLIPModel/preprocessor_config.json").is_file());
}

#[test]
fn what_python_did_not_need_is_asked_for_but_not_insisted_on() {
    // Python's model alone, without its tokenizer.
    let (site, cache) = (plain(), TempDir::new().unwrap());
    let folder = python_made(&cache, &site, &["config.json", "model.safetensors"]);
    assert_eq!(bring(&nowhere(&cache).offline(true)).unwrap(), folder);
    assert_eq!(bring(&nowhere(&cache)).unwrap(), folder);
    let server = Server::start(site);
    assert_eq!(bring(&hub(&cache, &server)).unwrap(), folder);
    assert!(folder.join("tokenizer.json").is_file());

    // A sentence transformer that Python has loaded as a bare encoder, without its pooling.
    let (site, cache) = (sentence_transformer(), TempDir::new().unwrap());
    let folder = python_made(&cache, &site, &["config.json", "tokenizer.json", "model.safetensors"]);
    let server = Server::start(site.clone());
    assert_eq!(bring(&hub(&cache, &server)).unwrap(), folder);
    assert_eq!(files_under(&folder), NEEDED);
    // If Python has looked for modules and found none, there are none.
    let cache = TempDir::new().unwrap();
    let folder = python_made(&cache, &site, &["config.json", "tokenizer.json", "model.safetensors"]);
    let missed = model_cache(&cache).join(".no_exist").join(&site.commit);
    fs::create_dir_all(&missed).unwrap();
    fs::write(missed.join("modules.json"), "").unwrap();
    let before = server.requests().len();
    assert_eq!(bring(&hub(&cache, &server)).unwrap(), folder);
    assert_eq!(server.requests().len(), before);

    // A shard named in the index must not be missing.
    let index = br#"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}"#;
    let mut site = plain();
    site.files.insert("model.safetensors.index.json".to_owned(), index.to_vec());
    site.files.insert("model-1.safetensors".to_owned(), b"one".to_vec());
    let cache = TempDir::new().unwrap();
    let files = ["config.json", "tokenizer.json", "model.safetensors.index.json", "model-1.safetensors"];
    python_made(&cache, &site, &files);
    assert!(bring(&nowhere(&cache).offline(true)).is_err());
}

#[test]
fn threads_that_want_the_same_model_download_it_once() {
    let (cache, server) = (TempDir::new().unwrap(), Server::start(plain()));
    let hub = hub(&cache, &server);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..4).map(|_| scope.spawn(|| bring(&hub).unwrap())).collect();
        for thread in running {
            assert_same(&thread.join().unwrap(), &server.site);
        }
    });
    assert_eq!(server.downloads().len(), 1);
}

#[test]
fn without_links_there_are_copies() {
    let (cache, server) = (TempDir::new().unwrap(), Server::start(sentence_transformer()));
    let folder = bring(&hub(&cache, &server).symlinks(false)).unwrap();
    assert_same(&folder, &server.site);
    for file in files_under(&folder) {
        assert!(fs::symlink_metadata(folder.join(file)).unwrap().is_file());
    }
    let before = server.requests().len();
    assert_eq!(bring(&hub(&cache, &server)).unwrap(), folder);
    assert_eq!(server.requests().len(), before);
}

#[test]
fn single_files_can_be_asked_for() {
    let (cache, server) = (TempDir::new().unwrap(), Server::start(sentence_transformer()));
    let (hub, silent) = (hub(&cache, &server), Progress::silent());
    let folder = hub.snapshot(MODEL, &["README.md", "onnx/model.onnx"], &silent).unwrap();
    assert_eq!(files_under(&folder), ["README.md", "onnx/model.onnx"]);
    let error = hub.snapshot(MODEL, &["no.json"], &silent).unwrap_err();
    assert!(error.kind() == ErrorKind::NotFound && format!("{error:#}").contains("no.json"), "{error:#}");
    let error = hub.snapshot(MODEL, &["../x"], &silent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    // Two files do not make a model.
    assert!(bring(&hub.clone().offline(true)).is_err());
    assert_eq!(files_under(&bring(&hub).unwrap()).len(), NEEDED.len() + 2);
}

#[test]
fn short_names_are_those_of_sentence_transformers() {
    for (name, folder) in [
        ("clip-ViT-B-32", "models--sentence-transformers--clip-ViT-B-32"),
        ("all-MiniLM-L6-v2@v1.0", "models--sentence-transformers--all-MiniLM-L6-v2"),
        ("bert-base-uncased", "models--bert-base-uncased"),
        ("gpt2", "models--gpt2"),
        ("openai/clip-vit-base-patch32", "models--openai--clip-vit-base-patch32"),
    ] {
        let cache = TempDir::new().unwrap();
        let error = nowhere(&cache).offline(true).model_folder(name, &Progress::silent()).unwrap_err();
        assert_eq!(error.path().unwrap(), cache.path().join(folder), "{name}");
    }
}

#[test]
fn names_and_settings_that_are_none_are_errors_before_any_work() {
    let (cache, silent) = (TempDir::new().unwrap(), Progress::silent());
    let long = "a".repeat(97);
    for name in [
        "",
        "..",
        "../x",
        "a/..",
        "/etc/passwd",
        "a/b/c",
        "a\\b",
        "a/b\n",
        "a/b c",
        "a/b?x=1",
        "a/b#c",
        "a/b%2e",
        "a--b/c",
        "a/.b",
        "-a/b",
        "a/b.git",
        "a/b@",
        "a/b@../x",
        "a/b@x y",
        "a/b@/x",
        "C:\\model",
        "./model",
        "a/é",
        &long,
    ] {
        let error = nowhere(&cache).model_folder(name, &silent).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{name:?}: {error}");
        assert!(!format!("{error:#}").contains('\0'));
    }
    let hub = || nowhere(&cache);
    for wrong in [
        hub().endpoint("huggingface.co"),
        hub().endpoint("ftp://huggingface.co"),
        hub().endpoint("https://"),
        hub().endpoint("https://user@host"),
        hub().endpoint("https://host/?x"),
        hub().token("two words"),
        hub().token("line\nend"),
        hub().revision("../main"),
        hub().retries(101),
        hub().timeout(Duration::ZERO),
        Hub::with_variables(|_| None),
    ] {
        let error = bring(&wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{wrong:?}: {error}");
        assert!(!format!("{error:#}").contains("two words"), "{error:#}");
    }
    assert!(hub().check().is_ok());
}

/// The folder in which a hub with these environment variables looks for a model.
fn looked(variables: &[(&str, &str)]) -> String {
    let lookup = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
    let error = Hub::with_variables(lookup).offline(true).model_folder("a/b", &Progress::silent()).unwrap_err();
    error.path().unwrap().to_string_lossy().replace('\\', "/")
}

#[test]
fn variables_mean_what_they_mean_to_python() {
    let home = ("HOME", "/no/user");
    assert_eq!(looked(&[home]), "/no/user/.cache/huggingface/hub/models--a--b");
    assert_eq!(looked(&[home, ("XDG_CACHE_HOME", "/no/xdg")]), "/no/xdg/huggingface/hub/models--a--b");
    assert_eq!(looked(&[home, ("XDG_CACHE_HOME", "/no/xdg"), ("HF_HOME", "~/hf")]), "/no/user/hf/hub/models--a--b");
    let old = ("HUGGINGFACE_HUB_CACHE", "/no/old");
    assert_eq!(looked(&[home, ("HF_HOME", "/no/hf"), old]), "/no/old/models--a--b");
    assert_eq!(looked(&[home, old, ("HF_HUB_CACHE", "/no/new")]), "/no/new/models--a--b");
    assert_eq!(looked(&[home, ("HF_HUB_CACHE", "")]), "/no/user/.cache/huggingface/hub/models--a--b");

    let cache = TempDir::new().unwrap();
    for (value, offline) in
        [("1", true), ("true", true), ("YES", true), ("On", true), ("0", false), ("", false), ("2", false)]
    {
        let lookup = |name: &str| (name == "HF_HUB_OFFLINE").then(|| OsString::from(value));
        let hub = Hub::with_variables(lookup).cache_folder(cache.path()).endpoint("http://127.0.0.1:1").retries(0);
        let kind = bring(&hub).unwrap_err().kind();
        assert_eq!(kind, if offline { ErrorKind::NotFound } else { ErrorKind::Io }, "{value:?}");
    }
}

#[test]
fn tokens_come_from_variables_and_files() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("token"), "hf_file\n").unwrap();
    fs::write(folder.path().join("elsewhere"), "hf_elsewhere").unwrap();
    let home = folder.path().to_str().unwrap().to_owned();
    let elsewhere = folder.path().join("elsewhere").to_str().unwrap().to_owned();
    let sent = |variables: &[(&str, &str)]| {
        let server = Server::start(plain());
        let endpoint = format!("http://{}", server.address);
        let all = [variables, &[("HF_HOME", &home), ("HF_ENDPOINT", &endpoint)]].concat();
        let lookup = |name: &str| all.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
        let cache = TempDir::new().unwrap();
        bring(&Hub::with_variables(lookup).cache_folder(cache.path())).unwrap();
        server.requests()[0].headers.get("authorization").cloned()
    };
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    assert_eq!(sent(&[]), bearer("hf_file"));
    assert_eq!(sent(&[("HF_TOKEN_PATH", &elsewhere)]), bearer("hf_elsewhere"));
    assert_eq!(sent(&[("HF_TOKEN_PATH", "/no/such/file")]), None);
    assert_eq!(sent(&[("HF_TOKEN", " hf_variable ")]), bearer("hf_variable"));
    assert_eq!(sent(&[("HF_TOKEN", "hf_variable"), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]), None);
}

#[derive(Default)]
struct Events(Mutex<Vec<Event>>);

impl ProgressSink for Events {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

#[test]
fn progress_counts_each_byte_once() {
    let (cache, tries) = (TempDir::new().unwrap(), AtomicUsize::new(0));
    let server = Server::with(plain(), move |site, request| match request.at_store {
        true if tries.fetch_add(1, Ordering::SeqCst) == 0 => Reply::body(weights()).cut(600_000),
        true => Reply::body(weights()),
        false => site.reply(request),
    });
    let events = Arc::new(Events::default());
    hub(&cache, &server).model_folder(MODEL, &Progress::to(events.clone())).unwrap();
    let events = events.0.lock().unwrap();
    assert!(
        matches!(&events[0], Event::Started { task, total: 1200, .. } if task == "kB of tests/tiny"),
        "{:?}",
        events[0]
    );
    let done = events.iter().filter_map(|event| match event {
        Event::Advanced { done, .. } => Some(*done),
        _ => None,
    });
    assert_eq!(done.max(), Some(1200));
    assert!(matches!(events.last(), Some(Event::Finished { .. })));
}

#[test]
fn a_server_that_says_nothing_can_be_left() {
    let interrupt = Interrupt::new();
    let switch = interrupt.clone();
    let server = Server::with(plain(), move |site, request| {
        if request.at_store {
            switch.stop();
            std::thread::sleep(Duration::from_secs(5));
        }
        site.reply(request)
    });
    let cache = TempDir::new().unwrap();
    let started = Instant::now();
    let error = hub(&cache, &server).model_folder(MODEL, &Progress::silent().with_interrupt(interrupt)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());

    let silent = Server::with(plain(), |site, request| {
        std::thread::sleep(Duration::from_secs(2));
        site.reply(request)
    });
    let error = bring(&hub(&cache, &silent).timeout(Duration::from_millis(50))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}

/// A hub with short timeouts.
fn impatient(cache: &TempDir, server: &Server) -> Hub {
    hub(cache, server).timeout(Duration::from_secs(1)).retries(1)
}

#[test]
fn a_server_that_trickles_is_left_within_a_bound() {
    const PAUSE: Duration = Duration::from_millis(100);
    type Answer = fn(&Site, &Request) -> Reply;
    let answers: [(&str, Answer); 4] = [
        ("weights", |site, request| match request.at_store {
            true => site.reply(request).trickling(PAUSE),
            false => site.reply(request),
        }),
        ("list", |site, request| match request.path.starts_with("/api/") {
            true => site.reply(request).trickling(PAUSE),
            false => site.reply(request),
        }),
        ("head", |site, request| site.reply(request).trickling_from_the_head(PAUSE)),
        ("facts", |site, request| match request.method == "HEAD" {
            true => site.reply(request).trickling_from_the_head(PAUSE),
            false => site.reply(request),
        }),
    ];
    for (what, answer) in answers {
        let (cache, server) = (TempDir::new().unwrap(), Server::with(plain(), answer));
        let begun = Instant::now();
        let error = bring(&impatient(&cache, &server)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{what}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(15), "{what}: {:?}", begun.elapsed());
    }
    // Slow, but fast enough for a lower minimum speed.
    let small =
        Site::new(MODEL, &[("config.json", b"{}"), ("tokenizer.json", b"{}"), ("model.safetensors", b"123456")]);
    let (cache, server) =
        (TempDir::new().unwrap(), Server::with(small, |site, request| site.reply(request).trickling(PAUSE / 20)));
    bring(&impatient(&cache, &server).min_rate(1)).unwrap();
}

#[test]
fn a_server_that_breaks_after_every_byte_is_left_within_a_bound() {
    for bytes in [1, 1_000] {
        let cache = TempDir::new().unwrap();
        let server = Server::with(plain(), move |site, request| match request.at_store {
            true => site.reply(request).cut(bytes),
            false => site.reply(request),
        });
        let error = bring(&hub(&cache, &server)).unwrap_err();
        assert!(format!("{error:#}").contains("broke"), "{error:#}");
        assert_eq!(server.downloads().len(), 3, "one attempt and two retries");
    }
}

#[test]
fn a_file_that_the_disk_has_no_room_for_is_not_begun() {
    for size in [1_u64 << 60, u64::MAX] {
        let cache = TempDir::new().unwrap();
        let server = Server::with(plain(), move |site, request| {
            let mut reply = site.reply(request);
            reply
                .headers
                .iter_mut()
                .filter(|(name, _)| name == "x-linked-size")
                .for_each(|(_, v)| *v = size.to_string());
            reply
        });
        let error = bring(&hub(&cache, &server)).unwrap_err();
        let told = format!("{error:#}");
        assert!(error.kind() == ErrorKind::Io && told.contains("MB free") && told.contains("needs"), "{told}");
        assert!(server.downloads().is_empty());
        assert!(!partial_of(&cache, &weights()).exists());
    }
}

#[test]
fn a_model_of_too_many_files_is_refused() {
    let mut site = plain();
    site.files.extend((0..3_000).map(|i| (format!("names-{i}.json"), b"{}".to_vec())));
    let (cache, server) = (TempDir::new().unwrap(), Server::start(site));
    assert!(bring(&hub(&cache, &server)).map_err(|error| format!("{error:#}")).unwrap_err().contains("3003 files"));
    assert!(server.requests().len() < 10);
}
