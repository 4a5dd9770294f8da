//! A notebook displays every stage that can be the last expression of a cell.

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use topicframe::prelude::*;

use crate::html::{assert_harmless, elements};

/// What the settings of a stage may implement.
const STAGE_TRAITS: [&str; 6] =
    ["Reducer", "Clusterer", "Representation", "TextEmbedder", "ImageEmbedder", "ImageCaptioner"];

/// The name of a stage's type, and its cell.
fn shown<T: Show>(stage: &T) -> (&'static str, Html) {
    let path = type_name::<T>();
    (path.rsplit("::").next().unwrap_or(path), Show::to_html(stage))
}

fn stages() -> Vec<(&'static str, Html)> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    vec![
        shown(&StaticEmbedder::builtin()),
        shown(&SentenceTransformer::from_dir(models.join("sentence_transformers/mpnet")).unwrap()),
        shown(&MultiModalBackend::from_dir(models.join("clip/gelu")).unwrap()),
        shown(&NoEmbedder),
        shown(&Fusion::new()),
        shown(&Captioner::from_dir(models.join("blip/base")).unwrap()),
        shown(&Umap::new()),
        shown(&Pca::new()),
        shown(&NoReduction),
        shown(&topicframe::graph::NeighborGraph::new()),
        shown(&Communities::new()),
        shown(&Hdbscan::new()),
        shown(&KMeans::new(3)),
        shown(&CountVectorizer::new()),
        shown(&ClassTfIdf::new()),
        shown(&KeyBERTInspired::new()),
        shown(&MaximalMarginalRelevance::new()),
        shown(&VisualRepresentation::new()),
        shown(&VisualWords::new()),
    ]
}

/// The types with the methods that a stage trait requires, from the list of the public API.
fn types_of_stages() -> BTreeSet<String> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/public_api.txt");
    let list = fs::read_to_string(list).unwrap();
    let mut items: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (item, member) in list.lines().filter_map(|line| line.split_once(' ')) {
        items.entry(item.rsplit('/').next().unwrap()).or_default().insert(member);
    }
    let required = STAGE_TRAITS.map(|name| -> BTreeSet<String> {
        let members = &items[format!("trait.{name}").as_str()];
        let methods = members.iter().filter_map(|member| member.strip_prefix("tymethod."));
        methods.map(|method| format!("method.{method}")).collect()
    });
    assert!(required.iter().all(|methods| !methods.is_empty()), "{required:?}");
    let is_stage = |members: &BTreeSet<&str>| {
        required.iter().any(|methods| methods.iter().all(|method| members.contains(method.as_str())))
    };
    let types = items.iter().filter(|(_, members)| is_stage(members)).filter_map(|(item, _)| item.split_once('.'));
    types.filter(|(kind, _)| ["struct", "enum"].contains(kind)).map(|(_, name)| name.to_owned()).collect()
}

#[test]
fn every_stage_shows_its_settings() {
    let stages = stages();
    for (name, html) in &stages {
        let elements = elements(html);
        assert_harmless(&elements, 0);
        assert!(elements[0].has_class("topicframe") && elements[0].text.contains(name), "{name}: {html}");
    }
    let mut missing = types_of_stages();
    assert!(missing.len() > 10, "{missing:?}");
    // The whole model, which has a `check` and a `fit` as well, is in `show.rs`.
    missing.retain(|name| name != "TopicModel" && stages.iter().all(|(shown, _)| shown != name));
    assert!(missing.is_empty(), "add {missing:?} to `stages` here, and to `steps!` in src/display/show.rs");
}
