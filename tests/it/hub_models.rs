//! Models that are pushed to the Hub and loaded from it, simulated by a local server with repositories.

use tempfile::TempDir;
use topicframe::error::Interface;
use topicframe::hub::{Hub, PushOptions, Pushed};
use topicframe::model::{LoadOptions, SaveOptions};
use topicframe::prelude::*;

use crate::hub_push::{self, REPOSITORY};
use crate::hub_repositories::Repositories;
use crate::hub_server::Server;

fn hub(server: &Server, cache: &TempDir) -> Hub {
    hub_push::hub(server).cache_folder(cache.path())
}

fn push(topics: &FittedTopicModel, hub: &Hub) -> Pushed {
    let saved = SaveOptions::new().documents(false).term_counts(false);
    topics.push_to_hf_hub_with(hub, REPOSITORY, &PushOptions::new(), &saved).unwrap()
}

fn load(hub: &Hub) -> Result<FittedTopicModel, Error> {
    FittedTopicModel::load_from_hf_hub_with(hub, REPOSITORY, &LoadOptions::new(), &Progress::silent())
}

/// A server, a cache, the hub of both, and a model of `frame` that was pushed to it.
struct Fixture {
    all: Repositories,
    cache: TempDir,
    hub: Hub,
    topics: FittedTopicModel,
    commit: String,
    _server: Server,
}

fn pushed(frame: &DataFrame) -> Fixture {
    let (all, cache) = (Repositories::default(), TempDir::new().unwrap());
    let server = all.serve();
    let hub = hub(&server, &cache);
    let topics = TopicModel::text("caption", StaticEmbedder::builtin()).fit(frame).unwrap();
    let commit = push(&topics, &hub).commit;
    Fixture { all, cache, hub, topics, commit, _server: server }
}

#[test]
fn a_model_comes_back_from_the_hub_without_its_documents() {
    let frame = crate::corpora::frame(60);
    let Fixture { all, hub, topics, cache: _cache, _server, .. } = pushed(&frame);

    let files = all.branch(REPOSITORY, "main").files;
    let card = String::from_utf8(files["README.md"].bytes.clone()).unwrap();
    assert!(card.contains("topicframe") && card.contains(&format!("load_from_hf_hub({REPOSITORY:?})")), "{card}");
    let text = topics.text(0).unwrap();
    let has_text = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!files.keys().any(|name| name.ends_with(".arrow")) && !files.values().any(|file| has_text(&file.bytes)));

    let loaded = load(&hub).unwrap();
    assert_eq!(loaded.get_topics(), topics.get_topics());
    let transformed = loaded.transform(&frame).unwrap();
    assert!(transformed.equals_missing(&topics.transform(&frame).unwrap()));
    // From the cache.
    assert_eq!(load(&hub.offline(true)).unwrap().get_topics(), topics.get_topics());
}

#[test]
fn a_second_push_replaces_the_model_and_keeps_the_card() {
    let Fixture { all, hub, topics, cache: _cache, _server, .. } = pushed(&crate::corpora::frame(60));
    let again = push(&topics, &hub);
    assert!(again.is_unchanged(), "{again:?}");
    all.change(REPOSITORY, "main", |branch| {
        branch.files.get_mut("README.md").unwrap().bytes = b"# Written by hand\n".to_vec();
    });
    let merged = topics.merge_topics(&[&[0, 1]]).unwrap();
    let pushed = push(&merged, &hub);
    assert!(!pushed.is_unchanged() && !pushed.deleted.is_empty(), "{pushed:?}");
    let files = all.branch(REPOSITORY, "main").files;
    assert_eq!(files["README.md"].bytes, b"# Written by hand\n");
    let parts = files.keys().filter(|name| name.starts_with("topics-")).count();
    assert_eq!(parts, 1, "the earlier part is gone: {:?}", files.keys());
    assert_eq!(load(&hub).unwrap().get_topics(), merged.get_topics());
}

/// The Hub's cache links to its blobs; a link to anywhere else is not followed.
#[cfg(unix)]
#[test]
fn links_that_leave_the_repository_are_not_followed() {
    let Fixture { cache, hub, commit, _server, .. } = pushed(&crate::corpora::frame(60));
    let elsewhere = TempDir::new().unwrap();
    load(&hub).unwrap();
    let model = cache.path().join("models--tester--topics/snapshots").join(commit).join("model.json");
    let moved = elsewhere.path().join("model.json");
    std::fs::copy(&model, &moved).unwrap();
    std::fs::remove_file(&model).unwrap();
    std::os::unix::fs::symlink(&moved, &model).unwrap();
    let error = load(&hub.offline(true)).unwrap_err().report(Interface::Rust);
    assert!(error.contains("link to a file elsewhere") && error.contains("model.json"), "{error}");
}
